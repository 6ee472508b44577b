/* Measures requests, and adds up what was measured for request_metrics() and
 * process_metrics(). The dicts that applications see are made in metrics.py.
 * The sums are the process's: interpreters share them. */

#include "etcl_meter.h"

#include "etcl_clock.h"
#include "etcl_start.h"
#include "etcl_threads.h"

#include <sys/resource.h>

#define SLOTS 256
#define BUCKETS 65 /* below 2 ms in four, then octaves of four, overflow */
#define CLASSES 5

enum {
#define PHASE_NUMBER(name) PHASE_##name,
    ETCL_METER_PHASES(PHASE_NUMBER) PHASES
};

typedef struct {
    apr_int64_t count, sum_us, min_us, max_us;
    apr_int64_t buckets[BUCKETS];
} phase_t;

typedef struct {
    apr_int64_t done, busy_us, cpu_us, max_us;
} slot_t;

typedef struct {
    apr_int64_t since_us;
    apr_int64_t classes[CLASSES];
    apr_int64_t reads, read_bytes, writes, written_bytes, gates;
    phase_t phase[PHASES];
    slot_t slot[SLOTS];
} sums_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sums_t sums; /* under the lock */
static int recording;

int etcl_meter_recording(void)
{
    return __atomic_load_n(&recording, __ATOMIC_ACQUIRE);
}

static apr_int64_t micros(struct timeval time)
{
    return (apr_int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void read_cpu(apr_int64_t *user_us, apr_int64_t *system_us)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    *user_us = micros(usage.ru_utime);
    *system_us = micros(usage.ru_stime);
}

void etcl_meter_begin(etcl_meter_t *meter, int on, apr_int64_t gate_us)
{
    meter->start_us = 0;
    meter->on = on;
    if (on) {
        *meter = (etcl_meter_t){ .on = on, .gates = 1, .gate_us = gate_us };
        read_cpu(&meter->user_us, &meter->system_us);
    }
}

/* 0 is below 1.25 ms; each octave from 1 ms on has four. */
static int bucket_of(apr_int64_t time_us)
{
    apr_int64_t low = 1000;
    int octave;

    for (octave = 0; octave < BUCKETS / 4; octave++, low *= 2) {
        if (time_us < low * 2) {
            return time_us < low
                       ? 0
                       : octave * 4 + (int)((time_us - low) * 4 / low);
        }
    }
    return BUCKETS - 1;
}

static void add_phase(int number, apr_int64_t time_us)
{
    phase_t *phase = &sums.phase[number];

    time_us = time_us > 0 ? time_us : 0;
    if (!phase->count || time_us < phase->min_us) {
        phase->min_us = time_us;
    }
    if (time_us > phase->max_us) {
        phase->max_us = time_us;
    }
    phase->count++;
    phase->sum_us += time_us;
    phase->buckets[bucket_of(time_us)]++;
}

static void add_phases(const etcl_call_t *call, const etcl_meter_t *meter)
{
    if (call->daemon_start_us) {
        add_phase(PHASE_server, call->queue_start_us - call->request_start_us);
        add_phase(PHASE_queue, call->daemon_start_us - call->queue_start_us);
        add_phase(PHASE_daemon, meter->start_us - call->daemon_start_us);
    } else {
        add_phase(PHASE_server, meter->start_us - call->request_start_us);
    }
    add_phase(PHASE_application, meter->end_us - meter->start_us);
    add_phase(PHASE_request, meter->end_us - call->request_start_us);
    add_phase(PHASE_input_read, meter->input_us);
    add_phase(PHASE_output_write, meter->output_us);
    add_phase(PHASE_gil_wait, meter->gate_us);
}

static void add_slot(const etcl_turn_t *turn, const etcl_meter_t *meter)
{
    slot_t *slot = &sums.slot[turn->seat->thread_id % SLOTS];
    apr_int64_t busy_us = meter->end_us - meter->start_us;

    slot->done++;
    slot->busy_us += busy_us;
    slot->cpu_us += meter->user_us + meter->system_us;
    slot->max_us = busy_us > slot->max_us ? busy_us : slot->max_us;
}

static void add_turn(const etcl_turn_t *turn, int status)
{
    const etcl_meter_t *meter = &turn->meter;
    int kind = status / 100 - 1;

    pthread_mutex_lock(&lock);
    sums.classes[kind >= 0 && kind < CLASSES ? kind : CLASSES - 1]++;
    sums.reads += meter->reads;
    sums.read_bytes += turn->taken;
    sums.writes += meter->writes;
    sums.written_bytes += turn->response.sent;
    sums.gates += meter->gates;
    add_phases(turn->call, meter);
    add_slot(turn, meter);
    pthread_mutex_unlock(&lock);
}

void etcl_meter_end(etcl_turn_t *turn, int status)
{
    etcl_meter_t *meter = &turn->meter;
    apr_int64_t user_us, system_us;

    meter->end_us = etcl_clock_wall_us();
    if (!meter->on) {
        return;
    }
    read_cpu(&user_us, &system_us);
    meter->user_us = user_us - meter->user_us;
    meter->system_us = system_us - meter->system_us;
    if (etcl_meter_recording()) {
        add_turn(turn, status);
    }
}

void etcl_meter_begin_process(void)
{
    sums = (sums_t){ .since_us = etcl_clock_wall_us() };
}

/* ---- for metrics.py */

static PyObject *list_numbers(const apr_int64_t *numbers, int count)
{
    PyObject *list = PyList_New(count);
    int i;

    for (i = 0; list && i < count; i++) {
        PyObject *number = PyLong_FromLongLong(numbers[i]);

        if (!number) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, number);
    }
    return list;
}

/* (name, count, sum, least, most, buckets) of each phase. */
static PyObject *list_phases(const sums_t *from)
{
    static const char *const names[] = {
#define PHASE_NAME(name) #name,
        ETCL_METER_PHASES(PHASE_NAME)
    };
    PyObject *list = PyList_New(0);
    PyObject *item;
    int i, rv = 0;

    for (i = 0; list && !rv && i < PHASES; i++) {
        const phase_t *phase = &from->phase[i];

        item = Py_BuildValue("(sLLLLN)", names[i], (long long)phase->count,
                             (long long)phase->sum_us, (long long)phase->min_us,
                             (long long)phase->max_us,
                             list_numbers(phase->buckets, BUCKETS));
        rv = item ? PyList_Append(list, item) : -1;
        Py_XDECREF(item);
    }
    if (rv) {
        Py_CLEAR(list);
    }
    return list;
}

/* (done, busy, cpu, longest) of each slot up to the last that was used. */
static PyObject *list_slots(const sums_t *from, int count)
{
    PyObject *list = PyList_New(0);
    PyObject *item;
    int i, rv = 0;

    for (i = 0; list && !rv && i < count; i++) {
        const slot_t *slot = &from->slot[i];

        item = Py_BuildValue("(LLLL)", (long long)slot->done,
                             (long long)slot->busy_us, (long long)slot->cpu_us,
                             (long long)slot->max_us);
        rv = item ? PyList_Append(list, item) : -1;
        Py_XDECREF(item);
    }
    if (rv) {
        Py_CLEAR(list);
    }
    return list;
}

/* start_recording(): from now on. */
static PyObject *start_recording(PyObject *module, PyObject *unused)
{
    pthread_mutex_lock(&lock);
    if (!recording) {
        sums.since_us = etcl_clock_wall_us();
        __atomic_store_n(&recording, 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    Py_RETURN_NONE;
}

/* take_sums(slots): what was recorded since the last call; None: nothing is
 * recorded. */
static PyObject *take_sums(PyObject *module, PyObject *slots)
{
    long count = PyLong_AsLong(slots);
    sums_t *copy;
    PyObject *out;

    if (PyErr_Occurred() || !etcl_meter_recording()) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    copy = PyMem_RawMalloc(sizeof(*copy));
    if (!copy) {
        return PyErr_NoMemory();
    }
    pthread_mutex_lock(&lock);
    *copy = sums;
    memset(&sums, 0, sizeof(sums));
    sums.since_us = etcl_clock_wall_us();
    pthread_mutex_unlock(&lock);
    out = Py_BuildValue("(LNLLLLLNN)", (long long)copy->since_us,
                        list_numbers(copy->classes, CLASSES),
                        (long long)copy->reads, (long long)copy->read_bytes,
                        (long long)copy->writes, (long long)copy->written_bytes,
                        (long long)copy->gates, list_phases(copy),
                        list_slots(copy, count < SLOTS ? (int)count : SLOTS));
    PyMem_RawFree(copy);
    return out;
}

/* list_threads(): (thread_id, requests, busy, start of the one that runs or
 * 0) of each thread. */
static PyObject *list_threads(PyObject *module, PyObject *unused)
{
    etcl_load_t loads[SLOTS];
    int count = etcl_threads_loads(loads, SLOTS);
    PyObject *list = PyList_New(count);
    int i;

    for (i = 0; list && i < count; i++) {
        PyObject *item = Py_BuildValue(
            "(iLLL)", loads[i].thread_id, (long long)loads[i].turns,
            (long long)loads[i].busy_us, (long long)loads[i].since_us);
        if (!item) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

/* read_scoreboard(): as bytes, JSON; None: not to be seen. */
static PyObject *read_scoreboard(PyObject *module, PyObject *unused)
{
    const etcl_runtime_config_t *config = etcl_start_config();
    apr_size_t size = 65536, len = 0;
    PyObject *text;

    if (!config->scoreboard) {
        Py_RETURN_NONE;
    }
    for (;;) {
        text = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
        if (!text) {
            return NULL;
        }
        len = config->scoreboard(PyBytes_AS_STRING(text), size);
        if (len <= size) {
            break;
        }
        Py_DECREF(text);
        size = len + len / 8; /* it may have grown meanwhile */
    }
    if (_PyBytes_Resize(&text, (Py_ssize_t)len)) {
        return NULL;
    }
    return text;
}

PyMethodDef etcl_meter_methods[] = {
    { "start_recording", start_recording, METH_NOARGS, NULL },
    { "take_sums", take_sums, METH_O, NULL },
    { "list_threads", list_threads, METH_NOARGS, NULL },
    { "read_scoreboard", read_scoreboard, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};
