/* The one door of the runtime: a table of functions, no logic. The symbol is
 * the only one that leaves the shared object. */

#include "etcl_answer.h"
#include "etcl_dump.h"
#include "etcl_interrupt.h"
#include "etcl_preload.h"
#include "etcl_pulse.h"
#include "etcl_python.h"
#include "etcl_runtime.h"
#include "etcl_start.h"
#include "etcl_stop.h"

extern const etcl_runtime_t etcl_runtime;

const etcl_runtime_t etcl_runtime = {
    .abi = ETCL_RUNTIME_ABI,
    .python = PY_VERSION,
    .start = etcl_start_python,
    .load = etcl_answer_load,
    .settle = etcl_preload_settle,
    .fork = etcl_preload_fork,
    .answer = etcl_answer_call,
    .dump = etcl_dump_stack,
    .interrupt = etcl_interrupt_call,
    .probe = etcl_pulse_probe,
    .signal = etcl_pulse_signal,
    .stop = etcl_stop_python,
};
