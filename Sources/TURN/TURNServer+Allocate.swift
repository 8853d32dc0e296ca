import Base
import STUN

extension TURNServer {
    /// Allocate (§7.2). The answer waits until the sockets are open.
    mutating func allocate(_ exchange: Exchange, _ user: AuthenticatedUser) -> Int {
        if let slot = slots[exchange.client] {
            // A copy of the request that made it is answered the same again, and ignored while its answer waits.
            if allocations[slot].transactionID == exchange.request.transactionID {
                guard allocations[slot].state == .open else { return 0 }
                return writeAllocated(slot, into: exchange.reply, at: exchange.time) ?? 0
            }
            guard allocations[slot].state == .open, allocations[slot].expires <= exchange.time else {
                return exchange.refuse(.allocationMismatch, user.key)
            }
            remove(slot)
        }
        do throws(AllocateRefusal) {
            let terms = try AllocateTerms(exchange.request, configuration.limits)
            try checkFamilies(terms)
            guard accounts.allocations(of: user.name) < configuration.limits.allocationsPerUser else {
                throw AllocateRefusal(.allocationQuotaReached)
            }
            guard slots.count < configuration.limits.maximumAllocations else {
                throw AllocateRefusal(.insufficientCapacity)
            }
            return try begin(terms, exchange, user)
        } catch { return exchange.refuse(error.code, user.key) }
    }

    private func checkFamilies(_ terms: AllocateTerms) throws(AllocateRefusal) {
        guard terms.token == nil, let first = terms.families.first else { return }
        if configuration.host(first) == nil { throw AllocateRefusal(.addressFamilyNotSupported) }
    }

    /// Makes the allocation and asks for its sockets.
    private mutating func begin(
        _ terms: AllocateTerms, _ exchange: Exchange, _ user: AuthenticatedUser
    ) throws(AllocateRefusal) -> Int {
        var claimed: Int?
        if let token = terms.token {
            guard let relay = reservations[token], relays[relay].state == .open else {
                throw AllocateRefusal(.insufficientCapacity)
            }
            claimed = relay
        }
        if terms.reservesNext, reservations.count >= configuration.limits.maximumReservations {
            throw AllocateRefusal(.insufficientCapacity)
        }
        let slot = allocations.insert(makeAllocation(terms, exchange, user))
        slots[exchange.client] = slot
        arm(slot, at: allocations[slot].expires)
        if let claimed {
            reservations[relays[claimed].token] = nil
            (relays[claimed].token, relays[claimed].allocation) = (0, Int32(slot))
            allocations[slot].setRelay(Int32(claimed), relays[claimed].family)
        }
        for family in claimed == nil ? terms.families : [] {
            guard configuration.host(family) != nil else {
                allocations[slot].additionalError = STUNErrorCode.addressFamilyNotSupported.rawValue
                continue
            }
            guard openRelay(family, for: slot, terms) else {
                if terms.isAdditional, family == .v6 {
                    allocations[slot].additionalError = STUNErrorCode.insufficientCapacity.rawValue
                    continue
                }
                remove(slot)
                throw AllocateRefusal(.insufficientCapacity)
            }
        }
        return complete(slot, into: exchange.reply, at: exchange.time) ?? 0
    }

    private mutating func makeAllocation(
        _ terms: AllocateTerms, _ exchange: Exchange, _ user: AuthenticatedUser
    ) -> Allocation {
        generation &+= 1
        return Allocation(
            generation: generation, client: exchange.client,
            account: accounts.open(user.name, configuration.limits, at: exchange.time),
            transactionID: exchange.request.transactionID, answerKey: user.key,
            hasFingerprint: exchange.request.hasFingerprint, lifetime: terms.lifetime,
            expires: exchange.time + .seconds(Int(terms.lifetime)))
    }

    /// Opens one relay, or with `reservesNext` two of them on neighbouring ports.
    private mutating func openRelay(_ family: AddressFamily, for slot: Int, _ terms: AllocateTerms) -> Bool {
        guard let port = freePort(family, isEven: terms.needsEvenPort, isPair: terms.reservesNext),
            let relay = addRelay(family, port: port, allocation: Int32(slot))
        else { return false }
        relays[relay].isEven = terms.needsEvenPort
        allocations[slot].setRelay(Int32(relay), family)
        guard terms.reservesNext else { return true }
        guard let next = addRelay(family, port: port + 1, allocation: -1) else { return false }
        relays[next].reservedFor = Int32(slot)
        allocations[slot].pair = Int32(next)
        return true
    }

    /// A port nobody has, by chance, so that nobody can tell where the next relay will be (RFC 8656 §7.2, RFC 6056).
    mutating func freePort(_ family: AddressFamily, isEven: Bool, isPair: Bool) -> UInt16? {
        guard let host = configuration.host(family) else { return nil }
        func isFree(_ port: UInt16) -> Bool {
            relaySlots[TransportAddress(ip: host.announced, port: port)] == nil
        }
        for _ in 0..<64 {
            let drawn = UInt16.random(in: configuration.relayPorts, using: &random)
            let port = isEven ? drawn & ~1 : drawn
            guard configuration.relayPorts.contains(port), isFree(port) else { continue }
            guard isPair else { return port }
            guard port < configuration.relayPorts.upperBound, isFree(port + 1) else { continue }
            return port
        }
        return nil
    }

    private mutating func addRelay(_ family: AddressFamily, port: UInt16, allocation: Int32) -> Int? {
        guard let host = configuration.host(family) else { return nil }
        generation &+= 1
        let relay = Relay(
            state: configuration.opensSockets ? .opening : .open, generation: generation,
            announced: TransportAddress(ip: host.announced, port: port),
            bound: TransportAddress(ip: host.bound, port: port), allocation: allocation)
        let slot = freeRelays.popLast() ?? relays.count
        if slot == relays.count { relays.append(relay) } else { relays[slot] = relay }
        relaySlots[relay.announced] = slot
        if configuration.opensSockets {
            outputs.append(.open(RelayID(slot: UInt32(slot), generation: relay.generation), relay.bound))
        }
        return slot
    }

    /// Answers an Allocate request whose sockets are all open; nil while one is not.
    mutating func complete(_ slot: Int, into reply: UnsafeMutableRawBufferPointer, at now: Instant) -> Int? {
        for relay in [allocations[slot].relayV4, allocations[slot].relayV6] where relay >= 0 {
            guard relays[Int(relay)].state == .open else { return nil }
        }
        let pair = Int(allocations[slot].pair)
        if pair >= 0 {
            guard relays[pair].state == .open else { return nil }
            keep(pair, for: slot, at: now)
        }
        // The client's time runs from the answer on.
        allocations[slot].expires = now + .seconds(Int(allocations[slot].lifetime))
        allocations[slot].state = .open
        let relay = allocations[slot].relayV4 >= 0 ? allocations[slot].relayV4 : allocations[slot].relayV6
        outputs.append(
            .event(
                .allocated(user: accounts.user(allocations[slot].account), relayed: relays[Int(relay)].announced)))
        return writeAllocated(slot, into: reply, at: now)
    }

    /// Keeps the upper port of a pair for whoever shows the token.
    private mutating func keep(_ relay: Int, for slot: Int, at now: Instant) {
        var token = random.next()
        while token == 0 || reservations[token] != nil { token = random.next() }
        relays[relay].reservedFor = -1
        relays[relay].token = token
        reservations[token] = relay
        allocations[slot].reservation = token
        allocations[slot].pair = -1
        expiries.set(
            .reservation, slot: relay, generation: relays[relay].generation, at: now + TURNLimits.reservationLifetime)
    }

    /// The success response (§7.2), also to a copy of the request.
    private func writeAllocated(
        _ slot: Int, into reply: UnsafeMutableRawBufferPointer, at now: Instant
    ) -> Int? {
        var writer = STUNWriter(STUNType(.success, .allocate), allocations[slot].transactionID, into: reply)
        for relay in [allocations[slot].relayV4, allocations[slot].relayV6] where relay >= 0 {
            writer.add(.xorRelayedAddress, xor: relays[Int(relay)].announced)
        }
        let left = max(.zero, allocations[slot].expires - now)
        writer.add(.lifetime, UInt32(truncatingIfNeeded: left.components.seconds))
        writer.add(.xorMappedAddress, xor: allocations[slot].client.remote)
        if let token = allocations[slot].reservation { writer.add(.reservationToken, token) }
        if allocations[slot].additionalError != 0 {
            let code = UInt32(allocations[slot].additionalError)
            writer.add(.addressErrorCode, UInt32(AddressFamily.v6.rawValue) << 24 | (code / 100) << 8 | code % 100)
        }
        writer.add(allocations[slot].answerKey)
        if allocations[slot].hasFingerprint { writer.addFingerprint() }
        return writer.finish()
    }
}
