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

/// One bound UDP socket of the control loop: reads and writes in batches, never waits.
///
/// Datagrams to send are copied into the batch at once and leave when it is full or the loop flushes. What the kernel
/// does not take is dropped and counted, as a network would: SIP sends again by its own timers (RFC 3261 §17).
package final class DatagramSocket {
    /// Bytes of kernel buffer each way: 2,000 messages of a burst, where the system allows as much.
    private static let kernelBuffer = UInt32(4 << 20)

    package let id: UInt64
    package let address: TransportAddress
    let descriptor: Int32
    /// Datagrams that could not be sent (no route, buffer full, too long) since the start.
    package private(set) var dropped = 0

    private let outgoing = DatagramBatch()
    private var waiting = 0

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
        let received = hearth_batch_receive(batch.pointer, descriptor)
        guard received > 0 else { return 0 }
        for index in 0..<Int(received) {
            let datagram = batch.datagrams[index]
            guard datagram.truncated == 0, datagram.length > 0 else { continue }
            var local = address
            if datagram.local.family != 0 { local.ip = IPAddress(datagram.local) }
            let bytes = [UInt8](UnsafeBufferPointer(start: datagram.bytes, count: Int(datagram.length)))
            body(bytes, Flow(transport: .udp, id: id, remote: TransportAddress(datagram.peer), local: local))
        }
        return Int(received)
    }

    /// Queues one datagram to `flow.remote`, leaving from `flow.local`.
    func send(_ bytes: [UInt8], to flow: Flow) {
        guard bytes.count <= DatagramBatch.size, !bytes.isEmpty else {
            dropped += 1
            return
        }
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
        while sent < waiting {
            let result = hearth_batch_send(outgoing.pointer, descriptor, UInt32(sent), UInt32(waiting))
            if result > 0 {
                sent += Int(result)
            } else if result < 0 {
                // The first of the rest has no route or is too long for it: only that one is lost.
                sent += 1
                dropped += 1
            } else {
                dropped += waiting - sent
                break
            }
        }
        waiting = 0
    }
}
