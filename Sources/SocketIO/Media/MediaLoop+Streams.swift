import Base
import TURN

/// Connections that carry TURN, and what waits to be written to them.
struct StreamTable {
    private struct Entry {
        let stream: MediaStream
        var waiting: [UInt8] = []
    }

    /// By the connection's number, which is unique for the life of the process.
    private var entries: [UInt64: Entry] = [:]
    private var sending: [UInt64] = []

    mutating func open(_ stream: MediaStream) { entries[stream.client.connection] = Entry(stream: stream) }

    func contains(_ client: TURNClient) -> Bool { entries[client.connection]?.stream.client == client }

    mutating func close(_ client: TURNClient) { entries[client.connection] = nil }

    /// - Returns: false when that connection is gone.
    mutating func add(_ bytes: UnsafeRawBufferPointer, to client: TURNClient) -> Bool {
        guard let isFirst = entries[client.connection]?.waiting.isEmpty else { return false }
        if isFirst { sending.append(client.connection) }
        entries[client.connection]?.waiting.append(contentsOf: bytes)
        return true
    }

    /// Hands on what waits, of each connection in one piece.
    mutating func flush() {
        guard !sending.isEmpty else { return }
        for connection in sending {
            guard let entry = entries[connection] else { continue }
            entry.stream.send(entry.waiting)
            entries[connection]?.waiting = []
        }
        sending.removeAll(keepingCapacity: true)
    }
}

extension MediaLoop {
    /// Does what other threads brought.
    ///
    /// - Returns: false when the worker is to stop.
    mutating func take(_ deliveries: [MediaDelivery]) -> Bool {
        for delivery in deliveries {
            let now = MonotonicClock.now
            switch delivery {
            case .opened(let stream): streams.open(stream)
            case .messages(let bytes, let client): receive(bytes, from: client, at: now)
            case .closed(let client):
                streams.close(client)
                server.closed(client)
            case .stop: return false
            }
            takeOutputs(at: now)
        }
        return true
    }

    /// Whole messages of one connection.
    private mutating func receive(_ bytes: [UInt8], from client: TURNClient, at now: Instant) {
        guard streams.contains(client) else { return }
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while case .message(let length, let padded) = StreamFrame(at: rest) {
                routeMessage(UnsafeRawBufferPointer(rebasing: rest[..<length]), from: client, at: now)
                rest = UnsafeRawBufferPointer(rebasing: rest[padded...])
            }
        }
    }

    private mutating func routeMessage(_ message: UnsafeRawBufferPointer, from client: TURNClient, at now: Instant) {
        traffic.received += 1
        if outbox.isFull || inbox.isFull { flush() }
        // A buffer of its own, which has the room that relaying in place needs.
        guard let packet = inbox.place(message) else { return }
        let route = server.receive(packet.bytes, packet.range, from: client, reply: outbox.reply, at: now)
        guard case .reply(let size) = route else { return follow(route, of: packet) }
        send(UnsafeRawBufferPointer(rebasing: outbox.reply[..<size]), to: client)
    }
}
