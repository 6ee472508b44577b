/* The arrays behind decoded calls and heads. They only grow, and never above
 * ETCL_PAIRS_MAX entries. */

#include "etcl_message.h"

#include <stdlib.h>

#define FIRST_SIZE 64u

void etcl_decoder_init(etcl_decoder_t *decoder)
{
    *decoder = (etcl_decoder_t){ .pairs = NULL };
}

void etcl_decoder_done(etcl_decoder_t *decoder)
{
    free(decoder->pairs);
    free(decoder->headers);
    etcl_decoder_init(decoder);
}

static apr_size_t next_size(apr_size_t count)
{
    apr_size_t size = FIRST_SIZE;

    while (size < count) {
        size *= 2;
    }
    return size;
}

apr_status_t etcl_decoder_pairs(etcl_decoder_t *decoder, apr_size_t count)
{
    apr_size_t size = next_size(count);
    etcl_pair_t *grown;

    if (size <= decoder->pair_size) {
        return APR_SUCCESS;
    }
    grown = realloc(decoder->pairs, size * sizeof(*grown));
    if (!grown) {
        return APR_ENOMEM;
    }
    decoder->pairs = grown;
    decoder->pair_size = size;
    return APR_SUCCESS;
}

apr_status_t etcl_decoder_headers(etcl_decoder_t *decoder, apr_size_t count)
{
    apr_size_t size = next_size(count);
    etcl_header_t *grown;

    if (size <= decoder->header_size) {
        return APR_SUCCESS;
    }
    grown = realloc(decoder->headers, size * sizeof(*grown));
    if (!grown) {
        return APR_ENOMEM;
    }
    decoder->headers = grown;
    decoder->header_size = size;
    return APR_SUCCESS;
}
