#if arch(wasm32)
    import Base
    import UserAgent

    // The phone's face to JavaScript (DESIGN: one module there, Web/phone/agent.js). A page has one thread and an instance
    // of this module per phone, so the one phone is a global. `hearth_allocate` and `hearth_free` are in Runtime/runtime.c.

    nonisolated(unsafe) private var seam = Seam()

    /// Bytes that JavaScript wrote into memory it asked for.
    private func bytes(_ start: UnsafePointer<UInt8>?, _ count: UInt32) -> [UInt8] {
        Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    @c(hearth_start)
    func start(_ frame: UnsafePointer<UInt8>?, _ count: UInt32, _ milliseconds: Double) -> Int32 {
        seam.start(bytes(frame, count), random: .system, milliseconds: milliseconds)
    }

    @c(hearth_command)
    func command(_ frame: UnsafePointer<UInt8>?, _ count: UInt32, _ milliseconds: Double) -> Int32 {
        seam.command(bytes(frame, count), milliseconds: milliseconds)
    }

    @c(hearth_received)
    func received(_ message: UnsafePointer<UInt8>?, _ count: UInt32, _ milliseconds: Double) {
        seam.received(bytes(message, count), milliseconds: milliseconds)
    }

    @c(hearth_connected)
    func connected(_ milliseconds: Double) { seam.connected(milliseconds: milliseconds) }

    @c(hearth_disconnected)
    func disconnected(_ milliseconds: Double) { seam.disconnected(milliseconds: milliseconds) }

    @c(hearth_timeout)
    func timeout(_ milliseconds: Double) { seam.timeout(milliseconds: milliseconds) }

    @c(hearth_deadline)
    func deadline() -> Double { seam.deadline }

    @c(hearth_poll)
    func poll() -> UInt32 { UInt32(truncatingIfNeeded: seam.poll()) }

    /// Where the frame that `hearth_poll` announced lies, until the next call.
    @c(hearth_output)
    func output() -> UnsafePointer<UInt8>? {
        seam.output.withUnsafeBufferPointer { $0.baseAddress }
    }
#endif
