import Base
import SIP

/// A registration in memory whose 200 waits for the disk.
struct PendingRegistration: Sendable {
    var key: UInt64
    var person: SlabReference
    var flow: Flow
    var request: SIPMessage
    var response: [UInt8]
    var begun: Instant
}

/// One Contact of a REGISTER, checked.
private struct RequestedBinding {
    var contact: NameAddress
    var uri: [UInt8]
    var key: [UInt8]
    var instance: [UInt8]
    var regID: UInt32
    var q: UInt16
    /// Seconds; 0 removes the binding.
    var expires: Int
}

/// A refusal with its status and words.
private struct Refusal: Error {
    var status: Int
    var words: StaticString?
    var reason: RefusalReason

    init(_ status: Int, _ words: StaticString? = nil, _ reason: RefusalReason = .malformed) {
        (self.status, self.words, self.reason) = (status, words, reason)
    }
}

/// The registrar (RFC 3261 §10.3) with Path (RFC 3327), outbound (RFC 5626 §6) and GRUU (RFC 5627 §5).
///
///     REGISTER ─> who (401) ─> Require (420) ─> To (403, 404) ─> Contacts (400, 423, 439, 403) ─> memory
///              ─> changed: store, 200 when it is on disk     └─> refreshed: 200, store later
///
/// It keeps no transaction: a repeated REGISTER finds what the first one did, or is challenged anew because its nonce
/// count is used up.
extension CallController {
    mutating func register(_ incoming: Incoming, at now: Instant) {
        // The first copy waits for the disk, and so does this one.
        if pendingRegistrations.find(incoming.key) != nil { return }
        guard registrations.count < configuration.limits.registrationsInFlight else {
            return refuse(incoming, 503, "Disk Does Not Keep Up", because: .overload, retryAfter: 5)
        }
        guard let (person, phone) = authenticate(incoming, isProxy: false, at: now) else { return }
        do throws(Refusal) {
            try checkRequire(incoming)
            try checkRecord(incoming, person)
            let change = try update(incoming, person, phone: phone, at: now)
            complete(incoming, person, change, at: now)
        } catch {
            let minimum = configuration.limits.minimumExpires
            answer(incoming, error.status, error.words, because: error.reason) { builder in
                switch error.status {
                case 420: builder.add(.unsupported, list: Self.unsupported(incoming))
                case 423: builder.add(.minExpires, number: minimum)
                default: break
                }
            }
        }
    }

    private static let extensions = TokenSet([
        [UInt8](ascii: "path")[...], [UInt8](ascii: "outbound")[...], [UInt8](ascii: "gruu")[...],
    ])

    /// What the request demands of the server itself beyond what a registrar here has.
    static func unsupported(_ incoming: Incoming) -> [[UInt8]] {
        incoming.message.require.subtracting(extensions)
    }

    /// Step 2.
    private func checkRequire(_ incoming: Incoming) throws(Refusal) {
        guard incoming.message.contains(.require) else { return }
        guard Self.unsupported(incoming).isEmpty else { throw Refusal(420, nil, .unsupportedExtension) }
    }

    /// Steps 4 and 5: the address-of-record must be hers.
    private func checkRecord(_ incoming: Incoming, _ person: Int) throws(Refusal) {
        // From's host is known to be ours.
        if incoming.isPlainlyTo(location.people.elements[person].user) { return }
        let uri: SIPURI
        do throws(SIPParseError) { uri = try incoming.message.to().uri } catch { throw Refusal(400, "Malformed To") }
        guard uri.scheme == .sip || uri.scheme == .sips, own.includes(uri.host, arrivedBy: incoming.flow) else {
            throw Refusal(404, "Address Of Another Domain", .unknownPerson)
        }
        guard uri.plainUser.map({ $0.map(ASCII.lowercased) }) == location.people.elements[person].user else {
            throw Refusal(403, "Address Of Another Person", .wrongFrom)
        }
    }

    // MARK: Contacts

    /// Steps 6 and 7: all of it or nothing.
    private mutating func update(
        _ incoming: Incoming, _ person: Int, phone: [UInt8], at now: Instant
    ) throws(Refusal) -> BindingChange {
        var change = BindingChange(user: location.people.elements[person].user)
        guard incoming.message.contains(.contact) else { return change }
        if incoming.message.isContactWildcard {
            try removeAll(incoming, person, &change)
            return change
        }
        if let position = refreshed(incoming, person, phone: phone),
            case let seconds = try lifetime(expiresHeader(incoming)), seconds > 0
        {
            try checkOrder(incoming, location.people.elements[person].bindings[position])
            refresh(incoming, position, of: person, for: .seconds(seconds), at: now)
            return change
        }
        let path = try path(incoming)
        let wanted = try requested(incoming, path: path)
        let devices = location.people.elements[person].bindings
        var places: [Int?] = []
        var added = 0
        for number in wanted.indices {
            let place = Self.place(of: wanted[number], among: devices)
            if let place { try checkOrder(incoming, devices[place]) }
            if place == nil, wanted[number].expires > 0 { added += 1 }
            places.append(place)
        }
        var current = 0
        for position in devices.indices where devices[position].expires > now { current += 1 }
        guard current + added <= configuration.limits.bindingsPerPerson else {
            throw Refusal(403, "Too Many Devices", .tooManyBindings)
        }
        for number in wanted.indices where wanted[number].expires > 0 {
            // One Contact may stand twice; the first of them made a place for the second.
            let place =
                wanted.count == 1
                ? places[number] : Self.place(of: wanted[number], among: location.people.elements[person].bindings)
            put(wanted[number], at: place, of: person, incoming, path: path, phone: phone, &change, at: now)
        }
        // Places move when something is removed before them.
        for number in wanted.indices where wanted[number].expires == 0 && places[number] != nil {
            let binding = wanted[number]
            let key = Self.storedKey(binding, among: location.people.elements[person].bindings) ?? binding.key
            remove(key: key, of: person, cause: .asked, &change)
        }
        removeGhosts(of: person, besides: wanted, &change)
        return change
    }

    /// `Contact: *` (§10.3 step 6): alone, with Expires 0, and not older than what it removes.
    private mutating func removeAll(
        _ incoming: Incoming, _ person: Int, _ change: inout BindingChange
    ) throws(Refusal) {
        guard incoming.message.values(of: .contact).count == 1, expiresHeader(incoming) == 0 else {
            throw Refusal(400, "Contact * Needs Expires 0")
        }
        for device in location.people.elements[person].bindings { try checkOrder(incoming, device) }
        for key in location.people.elements[person].bindings.map(\.binding.key) {
            remove(key: key, of: person, cause: .asked, &change)
        }
    }

    /// A REGISTER that was overtaken by a later one of the same device must not undo it.
    private func checkOrder(_ incoming: Incoming, _ device: borrowing Device) throws(Refusal) {
        guard incoming.sequence < device.binding.cseq, device.binding.callID.equals(incoming.message.callID) else {
            return
        }
        throw Refusal(500, "Overtaken By A Later Registration", .outOfOrder)
    }

    private func expiresHeader(_ incoming: Incoming) -> Int? {
        do throws(SIPParseError) { return try incoming.message.expires() } catch { return nil }
    }

    private func requested(_ incoming: Incoming, path: [[UInt8]]) throws(Refusal) -> [RequestedBinding] {
        let contacts: [NameAddress]
        do throws(SIPParseError) { contacts = try incoming.message.contacts() } catch {
            throw Refusal(400, "Malformed Contact")
        }
        guard contacts.count <= configuration.limits.contactsPerRegister else {
            throw Refusal(403, "Too Many Contacts", .tooManyBindings)
        }
        let speaksOutbound = incoming.message.contains(.supported) && incoming.message.supported.contains("outbound")
        let general = expiresHeader(incoming)
        var out: [RequestedBinding] = []
        for contact in contacts {
            let uri = contact.uri.text
            guard uri.count <= configuration.limits.contactLength else { throw Refusal(400, "Contact Too Long") }
            guard contact.uri.scheme == .sip || contact.uri.scheme == .sips else {
                throw Refusal(400, "Contact Is No SIP Address")
            }
            guard let q = contact.q else { throw Refusal(400, "Malformed q") }
            let instance = contact.instanceID ?? []
            guard instance.count <= configuration.limits.contactLength else { throw Refusal(400, "Instance Too Long") }
            let regID = speaksOutbound && !instance.isEmpty ? contact.regID ?? 0 : 0
            if regID > 0 { try checkFirstHop(incoming, path) }
            let expires = try lifetime(contact.expires ?? general)
            out.append(
                RequestedBinding(
                    contact: contact, uri: uri, key: Self.key(uri, instance, regID), instance: instance,
                    regID: UInt32(truncatingIfNeeded: regID), q: UInt16(truncatingIfNeeded: q), expires: expires))
        }
        return out
    }

    /// Step 6: 0 removes, below the minimum is 423, above the maximum is shortened.
    private func lifetime(_ asked: Int?) throws(Refusal) -> Int {
        let limits = configuration.limits
        guard let asked else { return limits.defaultExpires }
        guard asked == 0 || asked >= limits.minimumExpires else { throw Refusal(423, nil, .tooBrief) }
        return min(asked, limits.maximumExpires)
    }

    /// RFC 5626 §6: the first hop must keep the flow: it is us, or a proxy that says so in its Path.
    private func checkFirstHop(_ incoming: Incoming, _ path: [[UInt8]]) throws(Refusal) {
        guard incoming.message.values(of: .via).count > 1 else { return }
        do throws(SIPParseError) {
            if let first = path.last, try NameAddress(parsing: first[...]).uri.parameters.contains("ob") { return }
        } catch {}
        throw Refusal(439, "First Hop Lacks Outbound Support", .unsupportedExtension)
    }

    /// RFC 3327 §5.3, in the order of the header: the proxy nearest to us first.
    private func path(_ incoming: Incoming) throws(Refusal) -> [[UInt8]] {
        guard incoming.message.contains(.path) else { return [] }
        do throws(SIPParseError) { _ = try incoming.message.paths() } catch { throw Refusal(400, "Malformed Path") }
        let path = incoming.message.values(of: .path).map { Array($0) }
        let limits = configuration.limits
        guard path.count <= limits.pathEntries, path.reduce(0, { $0 + $1.count }) <= limits.pathLength else {
            throw Refusal(400, "Path Too Long")
        }
        return path
    }

    // MARK: Which binding

    /// The position of the device that most REGISTERs are from: its Contact stands alone and as it is stored, and nothing
    /// but the lifetime changes. Found by comparing bytes; any other is left to the full grammar.
    private func refreshed(_ incoming: Incoming, _ person: Int, phone: [UInt8]) -> Int? {
        let message = incoming.message
        guard message.hasOne(.contact), !message.contains(.path), let place = message.place(of: .contact),
            place.count > 2, message.bytes[place.lowerBound] == ASCII.lessThan,
            message.bytes[place.upperBound - 1] == ASCII.greaterThan
        else { return nil }
        let uri = message.bytes[(place.lowerBound + 1)..<(place.upperBound - 1)]
        let devices = location.people.elements[person].bindings
        guard devices.count <= configuration.limits.bindingsPerPerson else { return nil }
        for position in devices.indices where devices[position].binding.key.equals(uri) {
            let flow = own.reach(devices[position].contactAddress, from: incoming.flow)
            return devices[position].isPlain(uri, flow, phone: phone) ? position : nil
        }
        return nil
    }

    /// With reg-id the instance and flow number (RFC 5626 §6), else the Contact.
    private static func key(_ uri: [UInt8], _ instance: [UInt8], _ regID: Int) -> [UInt8] {
        guard regID > 0 else { return uri }
        var key = instance
        key.append(ASCII.semicolon)
        key.appendDecimal(regID)
        return key
    }

    private static func place(of binding: RequestedBinding, among devices: [Device]) -> Int? {
        for position in devices.indices where devices[position].binding.key == binding.key { return position }
        guard binding.regID == 0 else { return nil }
        // Written differently, but the same URI (§19.1.4).
        for position in devices.indices where devices[position].binding.regID == 0 {
            do throws(SIPParseError) {
                if try SIPURI(parsing: devices[position].binding.contact) == binding.contact.uri { return position }
            } catch { continue }
        }
        return nil
    }

    private static func storedKey(_ binding: RequestedBinding, among devices: [Device]) -> [UInt8]? {
        place(of: binding, among: devices).map { devices[$0].binding.key }
    }

    // MARK: Changes

    private mutating func put(
        _ wanted: RequestedBinding, at place: Int?, of person: Int, _ incoming: Incoming, path: [[UInt8]],
        phone: [UInt8], _ change: inout BindingChange, at now: Instant
    ) {
        let lifetime = Duration.seconds(wanted.expires)
        let flow =
            wanted.regID > 0 ? incoming.flow : own.reach(OwnNames.address(wanted.contact.uri), from: incoming.flow)
        if let place {
            if Self.isRefresh(
                of: location.people.elements[person].bindings[place], wanted, flow, path: path, phone: phone)
            {
                return refresh(incoming, place, of: person, for: lifetime, at: now)
            }
            let old = location.people.elements[person].bindings[place].binding
            flows.forget(person: location.people.reference(at: person), on: old.flow)
            if old.key != wanted.key { change.removed.append(old.key) }
        }
        var binding = Binding(
            user: change.user, key: wanted.key, contact: wanted.uri, flow: flow, remaining: lifetime)
        (binding.instance, binding.regID, binding.q) = (wanted.instance, wanted.regID, wanted.q)
        (binding.callID, binding.cseq) = (Array(incoming.message.callID), incoming.sequence)
        (binding.path, binding.phone) = (path, phone)
        binding.userAgent = Array((incoming.message.userAgent ?? []).prefix(Self.userAgentLength))
        let device = device(binding, uri: wanted.contact.uri, isConnected: true, at: now)
        location.put(device, at: place, of: person)
        change.saved.append(binding)
        flows.note(person: location.people.reference(at: person), on: incoming.flow)
        armExpiry(of: person)
        outputs.append(
            .event(
                .registered(user: change.user, contact: wanted.uri, lifetime: wanted.expires, flow: incoming.flow)))
    }

    private mutating func refresh(
        _ incoming: Incoming, _ position: Int, of person: Int, for lifetime: Duration, at now: Instant
    ) {
        location.refresh(
            position: position, of: person, until: now + lifetime, callID: incoming.message.callID,
            cseq: incoming.sequence, at: now)
        if flushDue == nil { flushDue = now + configuration.limits.refreshInterval }
    }

    /// Whether nothing but the lifetime changes. Call-ID and CSeq order registrations, but say nothing about where the
    /// device is.
    private static func isRefresh(
        of device: borrowing Device, _ wanted: borrowing RequestedBinding, _ flow: Flow, path: [[UInt8]],
        phone: [UInt8]
    ) -> Bool {
        device.binding.flow == flow && device.isConnected && device.unstored == nil
            && device.binding.contact == wanted.uri && device.binding.q == wanted.q && device.binding.path == path
            && device.binding.instance == wanted.instance && device.binding.phone == phone
    }

    /// Enough to tell one phone from another in a list.
    private static let userAgentLength = 120

    private func device(_ binding: Binding, uri: SIPURI, isConnected: Bool, at now: Instant) -> Device {
        var device = Device(
            binding: binding, id: location.bindingID(user: binding.user, key: binding.key),
            contactHash: location.contactHash(uri), expires: now + binding.remaining, refreshed: now,
            isConnected: isConnected, contactAddress: OwnNames.address(uri))
        let transport = binding.flow.transport
        if transport == .tcp || transport == .tls, case .address(let ip) = uri.host,
            ip.unmapped == binding.flow.remote.ip.unmapped
        {
            device.dialAddress = TransportAddress(ip: ip, port: uri.port ?? transport.defaultPort)
        }
        return device
    }

    /// A device without reg-id that comes back over a new connection leaves a binding nobody can reach. A flow with a
    /// reg-id of its own comes back under the same.
    private mutating func removeGhosts(
        of person: Int, besides wanted: [RequestedBinding], _ change: inout BindingChange
    ) {
        for number in wanted.indices where wanted[number].expires > 0 && !wanted[number].instance.isEmpty {
            let binding = wanted[number]
            let ghosts = location.people.elements[person].bindings.filter { device in
                device.binding.instance == binding.instance && !device.isConnected
                    && (device.binding.regID == 0 || binding.regID == 0)
                    && !wanted.contains { $0.key == device.binding.key }
            }
            for ghost in ghosts { remove(key: ghost.binding.key, of: person, cause: .replaced, &change) }
        }
    }

    mutating func remove(
        key: [UInt8], of person: Int, cause: UnregisterCause, _ change: inout BindingChange
    ) {
        guard let position = location.people.elements[person].bindings.firstIndex(where: { $0.binding.key == key })
        else {
            return
        }
        let device = location.remove(position: position, of: person)
        let flow = device.binding.flow
        if !location.people.elements[person].bindings.contains(where: { $0.binding.flow.id == flow.id }) {
            flows.forget(person: location.people.reference(at: person), on: flow)
        }
        change.removed.append(key)
        change.saved.removeAll { $0.key == key }
        outputs.append(.event(.unregistered(user: change.user, contact: device.binding.contact, cause: cause)))
    }

    // MARK: The answer

    private mutating func complete(_ incoming: Incoming, _ person: Int, _ change: BindingChange, at now: Instant) {
        statistics.registrations &+= 1
        let response = success(incoming, person, at: now)
        if change.isEmpty {
            latency.noteAnsweredAtOnce(.register)
            outputs.append(.send(response, incoming.answerFlow))
        } else {
            let ticket = takeNumber()
            registrations[ticket] = PendingRegistration(
                key: incoming.key, person: location.people.reference(at: person), flow: incoming.answerFlow,
                request: incoming.message, response: response, begun: now)
            location.noteUnstored(change, ticket: ticket, of: person)
            pendingRegistrations.set(incoming.key, 0)
            outputs.append(.store(change, ticket: ticket))
        }
        if !change.saved.isEmpty { deviceReturned(person: person, at: now) }
    }

    /// The change with this ticket is on disk, and its 200 goes out; or it could not be written.
    package mutating func stored(_ ticket: UInt64, succeeded: Bool, at now: Instant) {
        guard let pending = registrations.removeValue(forKey: ticket) else { return }
        pendingRegistrations.remove(pending.key)
        latency.noteAnswered(.register, since: pending.begun, at: now)
        if succeeded {
            location.noteStored(ticket: ticket, of: pending.person)
            return outputs.append(.send(pending.response, pending.flow))
        }
        outputs.append(.event(.refused(status: 500, reason: .storeFailed, flow: pending.flow)))
        let failure = localAnswer(.notStored, to: pending.request, on: pending.flow)
        outputs.append(.send(failure.bytes, pending.flow))
    }

    /// Step 8: every binding there is.
    private func success(_ incoming: Incoming, _ person: Int, at now: Instant) -> [UInt8] {
        var builder = response(200, to: incoming)
        var usesOutbound = false
        let wantsGRUU = incoming.message.contains(.supported) && incoming.message.supported.contains("gruu")
        let devices = location.people.elements[person].bindings
        for position in devices.indices where devices[position].expires > now {
            let isHere = devices[position].binding.flow == incoming.flow
            if isHere, devices[position].binding.regID > 0 { usesOutbound = true }
            let contact = ContactValue(
                device: devices[position], domain: configuration.domain, gruu: wantsGRUU, at: now)
            builder.add(.contact, contact)
        }
        builder.add(.supported, "path, outbound, gruu")
        if usesOutbound {
            builder.add(.require, "outbound")
            // Over UDP the keep-alive would be STUN on this port (RFC 5626 §4.4.2), which we do not answer here.
            if incoming.flow.transport.isReliable { builder.add(.flowTimer, number: configuration.limits.flowTimer) }
        }
        builder.copy(.path, from: incoming.message)
        if !configuration.serverHeader.isEmpty { builder.add(.server, RawValue(configuration.serverHeader)) }
        return builder.finishBytes()
    }

    // MARK: Other causes of change

    /// Puts a stored binding back after a restart. Streams are gone by then; their devices have a moment to come back.
    mutating func restore(_ binding: Binding, at now: Instant) {
        guard let person = location.find(binding.user[...]), binding.remaining > .zero else { return }
        let uri: SIPURI
        do throws(SIPParseError) { uri = try SIPURI(parsing: binding.contact) } catch { return }
        var binding = binding
        var isConnected = false
        if binding.flow.transport == .udp,
            let flow = own.datagrams(to: binding.flow.remote, socket: binding.flow.id)
        {
            binding.flow = flow
            isConnected = true
        }
        var device = device(binding, uri: uri, isConnected: isConnected, at: now)
        if !isConnected { device.disconnect(for: configuration.limits.absenceAfterStart, at: now) }
        let position = location.people.elements[person].bindings.firstIndex { $0.binding.key == binding.key }
        guard
            position != nil || location.people.elements[person].bindings.count < configuration.limits.bindingsPerPerson
        else { return }
        location.put(device, at: position, of: person)
        armExpiry(of: person)
    }

    mutating func removeDevices(of person: Int, cause: UnregisterCause, where isGone: (Device) -> Bool) {
        var change = BindingChange(user: location.people.elements[person].user)
        for device in location.people.elements[person].bindings.filter(isGone) {
            remove(key: device.binding.key, of: person, cause: cause, &change)
            let flow = device.binding.flow
            guard flow.transport != .udp, flows.isOpen(flow) else { continue }
            outputs.append(.close(flow, cause == .phoneRemoved ? .phoneRemoved : .personRemoved))
        }
        if !change.isEmpty { outputs.append(.store(change, ticket: nil)) }
    }

    // MARK: Time

    mutating func armExpiry(of person: Int) {
        guard let due = location.nextExpiry(of: person) else { return }
        if let set = location.people.elements[person].expiryTimer, set <= due { return }
        location.setExpiryTimer(due, of: person)
        timers.set(.binding, location.people.reference(at: person), at: due)
    }

    mutating func bindingTimeout(_ reference: SlabReference, due: Int64, at now: Instant) {
        guard let person = location.people.index(of: reference),
            location.people.elements[person].expiryTimer?.nanoseconds == due
        else { return }
        location.setExpiryTimer(nil, of: person)
        var change = BindingChange(user: location.people.elements[person].user)
        for device in location.people.elements[person].bindings where device.ends <= now {
            let cause = device.expires <= now ? UnregisterCause.expired : .gone
            remove(key: device.binding.key, of: person, cause: cause, &change)
        }
        if !change.isEmpty { outputs.append(.store(change, ticket: nil)) }
        armExpiry(of: person)
    }

    /// Hands every lifetime that waits to be written to the store; also before a graceful stop.
    package mutating func flush(at now: Instant) {
        flushDue = nil
        for change in location.takeRefreshed(at: now) { outputs.append(.store(change, ticket: nil)) }
    }
}

/// One Contact of a 200 to REGISTER.
private struct ContactValue: HeaderValue {
    private let contact: [UInt8]
    private let user: [UInt8]
    private let instance: [UInt8]
    private let regID: UInt32
    private let q: UInt16
    private let domain: [UInt8]
    private let gruu: Bool
    private let seconds: Int

    init(device: borrowing Device, domain: [UInt8], gruu: Bool, at now: Instant) {
        (contact, user, instance) = (device.binding.contact, device.binding.user, device.binding.instance)
        (regID, q) = (device.binding.regID, device.binding.q)
        (self.domain, self.gruu) = (domain, gruu)
        // Rounded up, so that a lifetime just granted reads as it was granted.
        seconds = Int(((device.expires - now).wholeNanoseconds + 999_999_999) / 1_000_000_000)
    }

    func serialize(into out: inout [UInt8]) {
        out.append(ASCII.lessThan)
        out += contact
        out.append(ASCII.greaterThan)
        out.append(";expires=")
        out.appendDecimal(max(0, seconds))
        if q < 1_000 {
            out.append(";q=0.")
            for divisor in [100, 10, 1] { out.appendDecimal(Int(q) / divisor % 10) }
        }
        guard !instance.isEmpty else { return }
        out.append(";+sip.instance=\"<")
        out += instance
        out.append(">\"")
        if regID > 0 {
            out.append(";reg-id=")
            out.appendDecimal(Int(regID))
        }
        guard gruu else { return }
        out.append(";pub-gruu=\"sip:")
        out += SIPURI.escapedUser(user)
        out.append(ASCII.at)
        out += domain
        out.append(";gr=")
        Percent.encode(instance, into: &out) { byte in
            ASCII.isAlphanumeric(byte) || byte == ASCII.colon || byte == 0x2d || byte == 0x2e || byte == 0x5f
        }
        out.append(ASCII.quote)
    }
}
