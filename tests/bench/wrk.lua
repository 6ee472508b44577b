-- One JSON line at the end, the same that upload.py prints. An argument is the
-- length of a body to POST.

function init(args)
    local length = tonumber(args[1])
    if length then
        wrk.method = "POST"
        wrk.body = string.rep("x", length)
        wrk.headers["Content-Type"] = "application/octet-stream"
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "bytes": %d, "seconds": %.6f, ' ..
        '"p50_ms": %.3f, "p99_ms": %.3f, "failed": {"connect": %d, ' ..
        '"read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
        summary.requests, summary.bytes, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect, errors.read, errors.write, errors.status,
        errors.timeout))
end
