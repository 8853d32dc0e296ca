/// Every bound of the media worker, and why the number is what it is.
enum MediaLimits {
    /// Buffers for what comes in, and with them the most that is read before what it led to is sent.
    static let buffers = 128
    /// The largest UDP datagram, or as many as the kernel joins in one buffer. Only pages that are filled become resident.
    static let bufferSize = 65_536
    /// Datagrams the kernel joins at most (UDP_MAX_SEGMENTS of Linux 6.9; 64 before).
    static let segments = 128
    /// Datagrams per system call on the media port. More gains nothing measurable; fewer costs a call's 0.3 µs each.
    static let portBatch = 64
    /// Datagrams per system call on a relay's socket: most have one, a video sender's a few.
    static let relayBatch = 8
    /// Calls on one socket before the others have their turn.
    static let callsPerTurn = 4
    /// Packets that wait for the end of a turn. When there are more they leave earlier.
    static let packets = 1_024
    /// Answers among them. Each has a buffer of its own.
    static let replies = 64
    /// Bytes of kernel buffer of the media port each way, where the system allows as much: 3,000 packets of video.
    static let portBuffer = UInt32(4 << 20)
    /// The same of a relay's socket: half a second of a large video at 4 Mbit/s.
    static let relayBuffer = UInt32(256 << 10)
    /// Bytes of streams' messages that wait for the worker: a tenth of a second of its work. Beyond, they are dropped.
    static let streamBacklog = 8 << 20
    /// Losses are told to the log no oftener.
    static let lossReportInterval = Duration.seconds(10)
}
