/* Python's end: exit callbacks, and finalization where nothing can hang. */

#ifndef ETCL_STOP_H
#define ETCL_STOP_H

/** See etcl_runtime_t.stop. */
void etcl_stop_python(const char *reason);

/** 1 once the end began: nobody enters Python any more. */
int etcl_stop_began(void);

#endif
