import Base
import CSockets
import TURN

/// Buffers for what comes in, with the room before and after each datagram that relaying it in place needs.
///
/// Several datagrams of one peer may come as one buffer (UDP_GRO): they are moved apart first, because the header that
/// one of them gets would stand in the one before.
struct Inbox: ~Copyable {
    /// Free bytes before the first datagram of a buffer, and between those that were moved apart.
    private static let gap = (TURNServer.headroom + TURNServer.tailroom + 7) & ~7

    /// A datagram that may be edited: it begins at `gap`, and `bytes` reaches as far as its room does.
    struct Packet {
        let bytes: UnsafeMutableRawBufferPointer
        var range: Range<Int> { Inbox.gap..<bytes.count - TURNServer.tailroom }
    }

    private let batch: OpaquePointer
    private let datagrams: UnsafeMutablePointer<hearth_datagram>
    private var next = 0

    init() {
        let batch = hearth_batch_create_roomy(
            UInt32(MediaLimits.buffers), UInt32(MediaLimits.bufferSize), UInt32(Self.gap),
            UInt32(MediaLimits.segments * Self.gap))
        guard let batch else { preconditionFailure("no memory for datagram buffers") }
        (self.batch, datagrams) = (batch, hearth_batch_datagrams(batch))
    }

    deinit { hearth_batch_destroy(batch) }

    /// Nothing that is still to be sent lies in the buffers any more.
    mutating func clear() { next = 0 }

    var isFull: Bool { next == MediaLimits.buffers }

    /// Reads what waits at a socket into free buffers, of which there must be one.
    ///
    /// - Returns: the buffers that were filled, and how many could have been; or an error's number, negative.
    mutating func receive(_ descriptor: Int32, atMost count: Int) -> (buffers: Range<Int>, room: Int, error: Int32) {
        let room = min(count, MediaLimits.buffers - next)
        let received = hearth_batch_receive_some(batch, descriptor, UInt32(next), UInt32(next + room))
        guard received > 0 else { return (0..<0, room, received) }
        let buffers = next..<next + Int(received)
        next = buffers.upperBound
        return (buffers, room, 0)
    }

    /// Puts a message that came another way into a free buffer, of which there must be one; nil when it is too long.
    mutating func place(_ message: UnsafeRawBufferPointer) -> Packet? {
        guard message.count <= MediaLimits.bufferSize, let start = message.baseAddress else { return nil }
        (datagrams[next].length, datagrams[next].segment, datagrams[next].truncated) = (UInt32(message.count), 0, 0)
        UnsafeMutableRawPointer(datagrams[next].bytes).copyMemory(from: start, byteCount: message.count)
        next += 1
        return packet(0, of: next - 1)
    }

    subscript(buffer: Int) -> hearth_datagram {
        _read { yield datagrams[buffer] }
    }

    /// How many datagrams a buffer holds, once they are moved apart; 0 when they are not whole.
    mutating func spread(_ buffer: Int) -> Int {
        let (length, segment) = (Int(datagrams[buffer].length), Int(datagrams[buffer].segment))
        guard datagrams[buffer].truncated == 0, length > 0 else { return 0 }
        guard segment > 0, segment < length else { return 1 }
        let count = (length + segment - 1) / segment
        guard count <= MediaLimits.segments, let bytes = datagrams[buffer].bytes else { return 0 }
        // The last first: none is overwritten before it was moved.
        for index in stride(from: count - 1, to: 0, by: -1) {
            let (start, size) = (index * segment, min(segment, length - index * segment))
            UnsafeMutableRawPointer(bytes + start + index * Self.gap).copyMemory(from: bytes + start, byteCount: size)
        }
        return count
    }

    /// One datagram of a buffer that was spread.
    func packet(_ index: Int, of buffer: Int) -> Packet {
        let (length, segment) = (Int(datagrams[buffer].length), Int(datagrams[buffer].segment))
        let isJoined = segment > 0 && segment < length
        let start = isJoined ? index * segment : 0
        let size = isJoined ? min(segment, length - start) : length
        let bytes = datagrams[buffer].bytes + start + index * Self.gap - Self.gap
        return Packet(bytes: .init(start: bytes, count: Self.gap + size + TURNServer.tailroom))
    }
}
