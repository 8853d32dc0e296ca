import Base
import CSockets
import Glibc
import SIP

/// Buffers that batched system calls fill and empty; used again for every call.
final class DatagramBatch {
    /// Datagrams per system call. More gains nothing measurable on loopback; fewer costs a call's 0.3 µs each.
    static let count = 64
    /// The largest UDP datagram. Only the pages that datagrams really fill become resident.
    static let size = 65_536

    let pointer: OpaquePointer
    let datagrams: UnsafeMutablePointer<hearth_datagram>

    init() {
        guard let batch = hearth_batch_create(UInt32(Self.count), UInt32(Self.size)) else {
            preconditionFailure("no memory for datagram buffers")
        }
        (pointer, datagrams) = (batch, hearth_batch_datagrams(batch))
    }

    deinit { hearth_batch_destroy(pointer) }
}

/// A datagram that did not arrive, for certain.
struct SendFailure {
    /// What could not be sent; nil when all that is known is a peer that an ICMP message called unreachable.
    var message: [UInt8]?
    var flow: Flow
}

/// One bound UDP socket of the control loop: reads and writes in batches, never waits.
///
/// Datagrams to send are copied into the batch at once and leave when it is full or the loop flushes. When the kernel's
/// buffer is full, the rest is dropped and counted, as a network would: SIP sends again by its own timers (RFC 3261
/// §17). What it refuses for good, and peers it hears to be unreachable (§18.4), wait in `takeFailures()`.
package final class DatagramSocket {
    /// Bytes of kernel buffer each way: 2,000 messages of a burst, where the system allows as much.
    private static let kernelBuffer = UInt32(4 << 20)
    /// Failures kept until the loop asks, which it does after every batch. More are one peer's, or no route at all.
    private static let maximumFailures = 2 * DatagramBatch.count

    package let id: UInt64
    package let address: TransportAddress
    let descriptor: Int32
    /// Datagrams that could not be sent (no route, buffer full, too long) since the start.
    package private(set) var dropped = 0

    private let outgoing = DatagramBatch()
    private var waiting = 0
    private var failures: [SendFailure] = []

    /// Binds a socket. Port 0 takes any free port, told by `address`.
    package init(binding address: TransportAddress, id: UInt64) throws(SocketError) {
        var wanted = address.cAddress
        let opened = hearth_udp_open(&wanted, Self.kernelBuffer)
        guard opened >= 0 else { throw SocketError(errno: -opened, binding: address) }
        var bound = hearth_address()
        guard hearth_socket_address(opened, &bound) == 0 else {
            Glibc.close(opened)
            throw .system(errno)
        }
        (self.id, self.descriptor, self.address) = (id, opened, TransportAddress(bound))
    }

    deinit { Glibc.close(descriptor) }

    /// Reads one batch.
    ///
    /// - Returns: how many datagrams came; fewer than a whole batch means that none is left.
    func receive(into batch: DatagramBatch, _ body: ([UInt8], Flow) -> Void) -> Int {
        var received = hearth_batch_receive(batch.pointer, descriptor)
        if received < 0 {
            // An error of an earlier datagram stood before what waits.
            noteUnreachablePeers()
            received = hearth_batch_receive(batch.pointer, descriptor)
        }
        guard received > 0 else { return 0 }
        for index in 0..<Int(received) {
            let datagram = batch.datagrams[index]
            guard datagram.truncated == 0, datagram.length > 0 else { continue }
            body(Self.bytes(datagram), flow(to: datagram.peer, from: datagram.local))
        }
        return Int(received)
    }

    private static func bytes(_ datagram: hearth_datagram) -> [UInt8] {
        [UInt8](UnsafeBufferPointer(start: datagram.bytes, count: Int(datagram.length)))
    }

    private func flow(to peer: hearth_address, from asked: hearth_address) -> Flow {
        var local = address
        if asked.family != 0 { local.ip = IPAddress(asked) }
        return Flow(transport: .udp, id: id, remote: TransportAddress(peer), local: local)
    }

    /// Queues one datagram to `flow.remote`, leaving from `flow.local`.
    func send(_ bytes: [UInt8], to flow: Flow) {
        guard bytes.count <= DatagramBatch.size, !bytes.isEmpty else { return fail(bytes, flow) }
        if waiting == DatagramBatch.count { flush() }
        let slot = outgoing.datagrams + waiting
        bytes.withUnsafeBufferPointer { slot.pointee.bytes.update(from: $0.baseAddress!, count: bytes.count) }
        slot.pointee.length = UInt32(bytes.count)
        slot.pointee.peer = flow.remote.cAddress
        // A socket bound to one address sends from it anyway.
        slot.pointee.local = address.ip.isUnspecified && !flow.local.ip.isUnspecified ? flow.local.cAddress : .init()
        waiting += 1
    }

    /// Sends what waits, in as few system calls as the kernel allows.
    func flush() {
        var sent = 0
        var hasTriedAgain = false
        while sent < waiting {
            let result = hearth_batch_send(outgoing.pointer, descriptor, UInt32(sent), UInt32(waiting))
            if result > 0 {
                sent += Int(result)
                hasTriedAgain = false
            } else if result == 0 {
                dropped += waiting - sent
                break
            } else if !hasTriedAgain {
                // The error may be an earlier datagram's, which came back.
                noteUnreachablePeers()
                hasTriedAgain = true
            } else {
                // The first of the rest has no route or is too long for it: only that one is lost.
                let datagram = outgoing.datagrams[sent]
                fail(Self.bytes(datagram), flow(to: datagram.peer, from: datagram.local))
                sent += 1
                hasTriedAgain = false
            }
        }
        waiting = 0
    }

    // MARK: Failures

    /// What did not arrive since the last time.
    func takeFailures() -> [SendFailure] {
        guard !failures.isEmpty else { return [] }
        defer { failures = [] }
        return failures
    }

    private func fail(_ message: [UInt8], _ flow: Flow) {
        dropped += 1
        note(SendFailure(message: message, flow: flow))
    }

    /// Empties the kernel's list of peers that ICMP messages called unreachable.
    func noteUnreachablePeers() {
        var peer = hearth_address()
        while hearth_udp_unreachable(descriptor, &peer) == 1 {
            note(SendFailure(message: nil, flow: flow(to: peer, from: .init())))
        }
    }

    private func note(_ failure: SendFailure) {
        if failures.count < Self.maximumFailures { failures.append(failure) }
    }
}
