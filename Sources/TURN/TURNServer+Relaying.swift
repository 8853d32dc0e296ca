import Base
import STUN

/// The way of a packet: nothing here allocates or waits.
extension TURNServer {
    /// ChannelData of a client (RFC 8656 §12.6). What stands after its length is padding.
    mutating func relayChannelData(
        _ buffer: UnsafeMutableRawBufferPointer, _ packet: Range<Int>, from client: TURNClient, at now: Instant
    ) -> Route {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[packet])
        guard let number = bytes.uint16(at: 0), let length = bytes.uint16(at: 2),
            bytes.slice(ChannelData.headerSize, Int(length)) != nil
        else {
            counters.malformed += 1
            return .nothing
        }
        guard let slot = slots[client], allocations[slot].isOpen(at: now),
            let peer = allocations.peer(of: number, slot, at: now)
        else {
            counters.notPermitted += 1
            return .nothing
        }
        let start = packet.lowerBound + ChannelData.headerSize
        return relay(buffer, start..<start + Int(length), from: slot, to: peer, at: now)
    }

    /// A Send indication (§11.1): its data go to a peer that has a permission.
    mutating func relaySend(
        _ message: STUNMessage, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int, from client: TURNClient,
        at now: Instant
    ) -> Route {
        guard let peer = message.xorAddress(.xorPeerAddress), let data = message.value(of: .data), peer.port != 0,
            !message.hasUnknownAttributes(besides: Self.knownInSend),
            let place = message.bytes.baseAddress.flatMap({ base in data.baseAddress.map { $0 - base } })
        else {
            counters.malformed += 1
            return .nothing
        }
        guard let slot = slots[client], allocations[slot].isOpen(at: now),
            allocations.permits(peer.ip, slot, at: now), allocations[slot].relay(AddressFamily(of: peer.ip)) >= 0
        else {
            counters.notPermitted += 1
            return .nothing
        }
        let start = offset + place
        return relay(buffer, start..<start + data.count, from: slot, to: peer, at: now)
    }

    private static let knownInSend = AttributeSet.base.union(AttributeSet(.xorPeerAddress, .data))

    /// Sends a payload to a peer: outside by the relay's socket, or inside to another allocation.
    private mutating func relay(
        _ buffer: UnsafeMutableRawBufferPointer, _ payload: Range<Int>, from slot: Int, to peer: TransportAddress,
        at now: Instant
    ) -> Route {
        let relay = allocations[slot].relay(AddressFamily(of: peer.ip))
        guard relay >= 0 else { return .nothing }
        guard accounts.spend(payload.count, of: allocations[slot].account, configuration.limits, at: now) else {
            counters.overBandwidth += 1
            return .nothing
        }
        if policy.isOwn(peer.ip) {
            guard let other = relaySlots[peer] else {
                counters.notPermitted += 1
                return .nothing
            }
            let route = deliver(buffer, payload, from: relays[Int(relay)].announced, to: other, at: now)
            if route != .nothing { counters.inside += 1 }
            return route
        }
        counters.toPeers += 1
        let id = RelayID(slot: UInt32(relay), generation: relays[Int(relay)].generation)
        return .peer(id, peer, payload)
    }

    /// Brings a peer's payload to the client of a relay, if the client lets that peer in (§11.3, §12.7).
    mutating func deliver(
        _ buffer: UnsafeMutableRawBufferPointer, _ payload: Range<Int>, from peer: TransportAddress, to relay: Int,
        at now: Instant
    ) -> Route {
        let slot = Int(relays[relay].allocation)
        guard slot >= 0, relays[relay].state == .open, allocations[slot].isOpen(at: now),
            allocations.permits(peer.ip, slot, at: now)
        else {
            counters.notPermitted += 1
            return .nothing
        }
        guard accounts.spend(payload.count, of: allocations[slot].account, configuration.limits, at: now) else {
            counters.overBandwidth += 1
            return .nothing
        }
        let range: Range<Int>?
        if let number = allocations.channel(of: peer, slot, at: now) {
            range = wrap(
                buffer, payload, channel: number, isPadded: allocations[slot].client.transport.isStream)
        } else {
            range = wrap(buffer, payload, from: peer)
        }
        guard let range else {
            counters.malformed += 1
            return .nothing
        }
        counters.toClients += 1
        return .client(allocations[slot].client, range)
    }

    /// Puts a ChannelData header before a payload. Over streams it is padded (§12.5).
    private func wrap(
        _ buffer: UnsafeMutableRawBufferPointer, _ payload: Range<Int>, channel number: UInt16, isPadded: Bool
    ) -> Range<Int>? {
        let start = payload.lowerBound - ChannelData.headerSize
        guard start >= 0, payload.count <= 0xffff else { return nil }
        buffer.storeBytes(of: number.bigEndian, toByteOffset: start, as: UInt16.self)
        buffer.storeBytes(of: UInt16(payload.count).bigEndian, toByteOffset: start + 2, as: UInt16.self)
        guard isPadded else { return start..<payload.upperBound }
        return pad(buffer, start..<payload.upperBound)
    }

    /// Puts the header of a Data indication and its attributes before a payload (§11.3).
    private mutating func wrap(
        _ buffer: UnsafeMutableRawBufferPointer, _ payload: Range<Int>, from peer: TransportAddress
    ) -> Range<Int>? {
        var size = Self.headroom
        if case .v4 = peer.ip { size -= 12 }
        let start = payload.lowerBound - size
        guard start >= 0, payload.count <= 0xffff - Self.headroom else { return nil }
        let id = TransactionID(high: UInt32(truncatingIfNeeded: indicationIDs.next()), low: indicationIDs.next())
        let header = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<payload.lowerBound])
        var writer = STUNWriter(STUNType(.indication, .data), id, into: header)
        writer.add(.xorPeerAddress, xor: peer)
        writer.addHeader(of: .data, length: payload.count)
        guard writer.finish() == size else { return nil }
        return pad(buffer, start..<payload.upperBound)
    }

    private func pad(_ buffer: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> Range<Int>? {
        let end = range.lowerBound + (range.count + 3) & ~3
        guard end <= buffer.count else { return nil }
        for index in range.upperBound..<max(range.upperBound, end) { buffer[index] = 0 }
        return range.lowerBound..<max(range.upperBound, end)
    }
}
