/* Writes good inputs to begin from, one file each, into the corpora of the
 * fuzz targets: seeds <folder>. Made by the encoders, so they are never out
 * of date. */

#include "etcl_group.h"
#include "etcl_message.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>

static apr_pool_t *pool;
static const char *folder;

static void save(const char *name, const char *bytes, apr_size_t len)
{
    FILE *file = fopen(apr_pstrcat(pool, folder, "/", name, NULL), "wb");

    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file)) {
        perror(name);
        exit(EXIT_FAILURE);
    }
}

static void save_packet(const char *name, etcl_packet_t *packet)
{
    save(apr_pstrcat(pool, "fuzz_packet.corpus/", name, NULL), packet->ptr,
         packet->len);
    packet->len = 0;
}

static void make_call(etcl_buffer_t *buf, int pairs)
{
    etcl_call_t call = { .kind = ETCL_CALL_WSGI,
                         .flags = ETCL_CALL_HTTPS,
                         .target = { ETCL_SPAN("/a.py"), ETCL_SPAN(""),
                                     ETCL_SPAN("app") },
                         .body_len = 4 };

    etcl_buffer_clear(buf, 0);
    etcl_call_begin(buf, &call);
    if (pairs) {
        etcl_call_pair(buf, ETCL_KEY_REQUEST_METHOD, ETCL_SPAN(""),
                       ETCL_SPAN("POST"));
        etcl_call_pair(buf, ETCL_KEY_NONE, ETCL_SPAN("SSL_CIPHER"),
                       ETCL_SPAN("x"));
    }
    etcl_call_close(buf, 0, pairs ? 2 : 0);
}

static void make_head(etcl_buffer_t *buf, apr_size_t count)
{
    etcl_header_t headers[] = { { ETCL_SPAN("Content-Type"),
                                  ETCL_SPAN("text/plain") },
                                { ETCL_SPAN("X-A"), ETCL_SPAN("") } };
    etcl_head_t head = { 200, ETCL_SPAN("OK"), headers, count, 3 };

    etcl_buffer_clear(buf, 0);
    etcl_head_encode(buf, &head);
}

static void seed_texts(etcl_buffer_t *buf)
{
    make_call(buf, 0);
    save("fuzz_call.corpus/bare", buf->ptr, buf->len);
    make_call(buf, 1);
    save("fuzz_call.corpus/pairs", buf->ptr, buf->len);
    make_head(buf, 0);
    save("fuzz_head.corpus/bare", buf->ptr, buf->len);
    make_head(buf, 2);
    save("fuzz_head.corpus/headers", buf->ptr, buf->len);
}

static void seed_dialogue(etcl_buffer_t *buf, etcl_packet_t *packet)
{
    etcl_hello_t hello = { 1, 2, 3, { 'x' } };
    etcl_answer_t done = { ETCL_ANSWER_DONE, 0, 3, 3 };

    etcl_hello_encode(&hello, packet);
    save_packet("hello", packet);
    etcl_welcome_encode(&hello, packet);
    save_packet("welcome", packet);
    make_call(buf, 1);
    etcl_packet_add(packet, ETCL_FRAME_CALL, 0,
                    (etcl_span_t){ buf->ptr, buf->len });
    etcl_packet_add(packet, ETCL_FRAME_BODY, ETCL_FRAME_LAST,
                    ETCL_SPAN("a=1&"));
    save_packet("call", packet);
    make_head(buf, 2);
    etcl_packet_add(packet, ETCL_FRAME_HEAD_, 0,
                    (etcl_span_t){ buf->ptr, buf->len });
    etcl_packet_add(packet, ETCL_FRAME_DATA, 0, ETCL_SPAN("abc"));
    etcl_end_encode(&done, packet);
    save_packet("answer", packet);
}

static void seed_others(etcl_packet_t *packet)
{
    etcl_answer_t failed = { ETCL_ANSWER_FAILED, 500, 0, -1 };
    etcl_pull_t pull = { 65536, 1 };
    etcl_file_t file = { 0, 9 };

    etcl_pull_encode(&pull, packet);
    etcl_log_encode(ETCL_LOG_ERR, ETCL_SPAN("oops"), packet);
    etcl_file_encode(&file, packet);
    etcl_window_encode(4096, packet);
    etcl_end_encode(&failed, packet);
    etcl_broken_encode(ETCL_BROKEN_STALL, packet);
    etcl_packet_add(packet, ETCL_FRAME_REFUSE, 0, ETCL_SPAN(""));
    etcl_laid_encode(65536, ETCL_FRAME_LAST, packet);
    etcl_packet_add(packet, ETCL_FRAME_ASK, 0, ETCL_SPAN(""));
    etcl_told_encode(1, packet);
    save_packet("others", packet);
}

static void seed_group(void)
{
    static const apr_int64_t gids[] = { 4, 33 };
    static const char *const warnings[] = { "error", NULL };
    static const etcl_preload_t preload = { "/a.py", "", "app" };
    static const etcl_rule_t rule = { "", NULL, 0.5, 1, -1, -1, 0, 1 };
    etcl_group_t group;
    etcl_span_t bytes;

    etcl_group_init(&group, "etcl");
    group.gids = gids;
    group.gid_count = 2;
    group.warnings = warnings;
    group.preloads = &preload;
    group.preload_count = 1;
    group.rules = &rule;
    group.rule_count = 1;
    etcl_group_encode(&group, pool, &bytes);
    save("fuzz_group.corpus/full", bytes.ptr, bytes.len);
}

int main(int argc, char **argv)
{
    static char memory[ETCL_PACKET_MAX];
    etcl_packet_t packet = { .ptr = memory };
    etcl_buffer_t buf;

    if (argc != 2) {
        return EXIT_FAILURE;
    }
    folder = argv[1];
    apr_initialize();
    apr_pool_create(&pool, NULL);
    etcl_buffer_init(&buf, ETCL_CALL_MAX);
    seed_texts(&buf);
    seed_dialogue(&buf, &packet);
    seed_others(&packet);
    seed_group();
    etcl_buffer_done(&buf);
    apr_terminate();
    return EXIT_SUCCESS;
}
