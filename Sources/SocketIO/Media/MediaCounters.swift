import Synchronization

/// What the media worker counted since its start: its thread writes, anybody reads.
package final class MediaCounters: @unchecked Sendable {
    package enum Name: Int, CaseIterable, Sendable {
        /// Payloads relayed to peers outside, to clients, and those of the latter that never left the process.
        case toPeers, toClients, inside
        /// Packets that were neither STUN nor ChannelData, or damaged.
        case malformed
        /// No allocation, no channel, or no permission.
        case notPermitted
        case overBandwidth
        /// Strangers that got no answer, because their address had enough of them.
        case unanswered
        /// Datagrams and messages of streams received and sent, answers included.
        case received, sent
        /// Dropped because a socket's buffer was full.
        case full
        /// Refused by the system: no route, a firewall, too long.
        case refused
        /// What there is at the moment.
        case allocations, users
    }

    // Cells of its own instead of properties: they are written and read by number.
    private let cells = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: Name.allCases.count)

    init() { for index in Name.allCases.indices { (cells + index).initialize(to: Atomic(0)) } }

    deinit {
        cells.deinitialize(count: Name.allCases.count)
        cells.deallocate()
    }

    package subscript(name: Name) -> Int { cells[name.rawValue].load(ordering: .relaxed) }

    func set(_ name: Name, to value: Int) { cells[name.rawValue].store(value, ordering: .relaxed) }
}
