//! What a benchmark's own process has had written.

/// Bytes that this process has had written so far, as the system counts them.
pub(crate) fn written() -> f64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0.0)
}
