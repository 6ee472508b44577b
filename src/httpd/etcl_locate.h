/* From a mapped URL straight to the script and its PATH_INFO. */

#ifndef ETCL_LOCATE_H
#define ETCL_LOCATE_H

#include "etcl_httpd.h"

/**
 * Hook map_to_storage, before httpd's own: when the target of an alias is a
 * file, split filename and path_info there. httpd's walk then applies the
 * <Directory> and <Files> sections of the script and looks at no component
 * behind it.
 */
int etcl_locate_script(request_rec *r);

#endif
