import Base
import CSockets
import TURN

/// Datagrams on their way out: where they lie, and a chain of them for each socket.
///
/// Nothing is copied but answers, which lie here: whoever adds a packet leaves its bytes alone until the next flush.
struct Outbox: ~Copyable {
    private let packets = UnsafeMutablePointer<hearth_packet>.allocate(capacity: MediaLimits.packets)
    private var count = 0
    private let replies = UnsafeMutableRawBufferPointer.allocate(
        byteCount: MediaLimits.replies * TURNServer.maximumReply, alignment: 16)
    private var replyCount = 0
    private let sender: OpaquePointer

    init() {
        guard let sender = hearth_sender_create() else { preconditionFailure("no memory for packets") }
        self.sender = sender
    }

    deinit {
        packets.deallocate()
        replies.deallocate()
        hearth_sender_destroy(sender)
    }

    var isEmpty: Bool { count == 0 }
    /// Whether everything must be sent before more is added.
    var isFull: Bool { count == MediaLimits.packets || replyCount == MediaLimits.replies }

    /// Where the next answer is written. It is kept when it is added.
    var reply: UnsafeMutableRawBufferPointer {
        let start = replyCount * TURNServer.maximumReply
        return UnsafeMutableRawBufferPointer(rebasing: replies[start..<start + TURNServer.maximumReply])
    }

    mutating func addReply(_ size: Int, to peer: hearth_address, from local: hearth_address, _ chain: inout PacketChain)
    {
        let bytes = UnsafeRawBufferPointer(rebasing: reply[..<size])
        replyCount += 1
        add(bytes, to: peer, from: local, &chain)
    }

    mutating func add(
        _ bytes: UnsafeRawBufferPointer, to peer: hearth_address, from local: hearth_address, _ chain: inout PacketChain
    ) {
        precondition(count < MediaLimits.packets, "more packets than there is room for")
        (packets + count).initialize(
            to: hearth_packet(
                bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), length: UInt32(bytes.count),
                next: HEARTH_LAST, peer: peer, local: local))
        if chain.isEmpty { chain.first = UInt32(count) } else { packets[Int(chain.last)].next = UInt32(count) }
        chain.last = UInt32(count)
        count += 1
    }

    /// Sends one chain, which is then empty.
    func send(_ chain: inout PacketChain, through descriptor: Int32, joins: Bool) -> hearth_sent {
        var result = hearth_sent()
        hearth_sender_send(sender, descriptor, packets, chain.first, joins ? 1 : 0, &result)
        chain = PacketChain()
        return result
    }

    /// All chains were sent.
    mutating func clear() { (count, replyCount) = (0, 0) }
}

/// The packets that wait for one socket, in their order.
struct PacketChain {
    var first = HEARTH_LAST
    var last = HEARTH_LAST

    var isEmpty: Bool { first == HEARTH_LAST }
}
