/* What the process asks of Python between requests. */

#ifndef ETCL_PULSE_H
#define ETCL_PULSE_H

/** See etcl_runtime_t.probe. */
void etcl_pulse_probe(void);

/** See etcl_runtime_t.signal. */
void etcl_pulse_signal(int number);

#endif
