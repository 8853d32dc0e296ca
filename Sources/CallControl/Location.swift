import Base
import SIP

/// A person and where she can be reached.
struct Person: SlabElement {
    var user: [UInt8]
    /// Labels of her phones, and at the same place what digest checks their passwords with.
    var labels: [[UInt8]] = []
    var passwords: [DigestHA1] = []
    var bindings: [Device] = []
    /// INVITEs of hers that have no final response yet.
    var pendingCalls = 0
    /// Stands in the list of people with refreshed lifetimes to be written.
    var isDirty = false
    /// When the expiry timer set for her fires.
    var expiryTimer: Instant?

    static func vacant() -> Person { Person(user: []) }
}

/// A binding in memory.
struct Device: Sendable {
    var binding: Binding
    /// Names the binding in Record-Route tokens, the same after a restart.
    var id: UInt64
    /// Finds the binding by its Contact.
    var contactHash: UInt64
    var expires: Instant
    /// When it registered last; after a restart, when the server started.
    var refreshed: Instant
    /// Whether `binding.flow` leads somewhere; over UDP always.
    var isConnected: Bool
    /// What the Contact says where the phone listens, if that is an address.
    var contactAddress: TransportAddress?
    /// When the stream closed, or when the server started without it.
    var disconnectedAt: Instant?
    /// When a device that is away is forgotten, unless it comes back.
    var absentUntil: Instant?
    /// The lifetime in the store is behind.
    var isDirty = false
    /// The change that stored this binding as it is, until that is known to be on disk.
    var unstored: UInt64?
    /// Where a phone with TCP or TLS listens, if that is the address it registered from: no NAT stands between.
    var dialAddress: TransportAddress?

    var canBeCalled: Bool { dialAddress != nil }

    /// Whether a Contact without parameters, by this flow and with this password, would change nothing of it.
    func isPlain(_ contact: ArraySlice<UInt8>, _ flow: Flow, phone: [UInt8]) -> Bool {
        binding.contact.equals(contact) && binding.flow == flow && isConnected && unstored == nil
            && binding.regID == 0 && binding.q == 1_000 && binding.instance.isEmpty && binding.path.isEmpty
            && binding.phone == phone
    }

    /// The binding's end: that of its lifetime, or of the patience with a device that is away.
    var ends: Instant { absentUntil.map { min($0, expires) } ?? expires }

    /// Its stream is gone. A phone that can be called where it listens is not away.
    mutating func disconnect(for patience: Duration, at now: Instant) {
        (isConnected, disconnectedAt) = (false, now)
        absentUntil = canBeCalled ? nil : now + patience
    }

    /// The binding as the store keeps it.
    func record(at now: Instant) -> Binding {
        var record = binding
        record.remaining = expires - now
        return record
    }
}

/// Who there is, and which devices each person has registered (RFC 3261 §10.2 calls it the location service).
struct Location: ~Copyable, Sendable {
    private(set) var people: Slab<Person>
    private var byUser = HashIndex()
    /// Binding id to person.
    private var byBinding = HashIndex()
    /// Hash of a Contact's user, host and port to person.
    private var byContact = HashIndex()
    private let hash: KeyedHash
    private(set) var bindingCount = 0
    /// People with lifetimes to be written.
    private(set) var dirty: [SlabReference] = []

    init(hash: KeyedHash, firstGeneration: UInt32) {
        self.hash = hash
        people = Slab(firstGeneration: firstGeneration)
    }

    // MARK: People

    /// - Parameter user: in lower case, without escapes.
    func find(_ user: ArraySlice<UInt8>) -> Int? {
        guard let index = byUser.find(hash(.user, user)), people.elements[index].user.equals(user) else { return nil }
        return index
    }

    @discardableResult
    mutating func set(_ account: SIPAccount) -> Int {
        let index = find(account.user[...]) ?? insert(account.user)
        people.elements[index].labels = account.phones.map(\.label)
        people.elements[index].passwords = account.phones.map(\.ha1)
        return index
    }

    private mutating func insert(_ user: [UInt8]) -> Int {
        let index = Int(people.insert(Person(user: user)).slot)
        byUser.set(hash(.user, user[...]), index)
        return index
    }

    /// Forgets a person without bindings.
    mutating func removePerson(at index: Int) {
        byUser.remove(hash(.user, people.elements[index].user[...]))
        people.remove(at: index)
    }

    mutating func addPendingCall(_ delta: Int, at index: Int) { people.elements[index].pendingCalls += delta }

    // MARK: Devices

    func devices(at index: Int) -> [Device] { people.elements[index].bindings }

    /// The person and position of the binding with this id.
    func device(id: UInt64) -> (person: Int, position: Int)? {
        guard let person = byBinding.find(id),
            let position = people.elements[person].bindings.firstIndex(where: { $0.id == id })
        else { return nil }
        return (person, position)
    }

    /// The id of a person's first binding over this flow.
    func device(of person: Int, on flow: Flow) -> UInt64? {
        let devices = people.elements[person].bindings
        for position in devices.indices where devices[position].binding.flow == flow { return devices[position].id }
        return nil
    }

    /// The device whose Contact this is, parameters aside.
    func device(contact uri: SIPURI) -> (person: Int, position: Int)? {
        let hash = contactHash(uri)
        guard let person = byContact.find(hash) else { return nil }
        // The newest: a device that came back may have left an older binding with the same Contact.
        guard let position = people.elements[person].bindings.lastIndex(where: { $0.contactHash == hash }) else {
            return nil
        }
        return (person, position)
    }

    func contactHash(_ uri: SIPURI) -> UInt64 {
        var state = hash.begin(.contact)
        state.add((uri.user ?? [])[...])
        switch uri.host {
        case .name(let name): state.add(name[...])
        case .address(.v4(let bits)): state.add(UInt64(bits))
        case .address(.v6(let high, let low)):
            state.add(high)
            state.add(low)
        }
        state.add(UInt64(uri.port ?? 0))
        return state.finish()
    }

    func bindingID(user: [UInt8], key: [UInt8]) -> UInt64 { hash(.binding, user[...], key[...]) }

    /// Inserts a device or replaces the one at `position`.
    mutating func put(_ device: Device, at position: Int?, of person: Int) {
        if let position {
            unindex(people.elements[person].bindings[position], of: person)
            people.elements[person].bindings[position] = device
        } else {
            people.elements[person].bindings.append(device)
            bindingCount += 1
        }
        byBinding.set(device.id, person)
        byContact.set(device.contactHash, person)
    }

    @discardableResult
    mutating func remove(position: Int, of person: Int) -> Device {
        let device = people.elements[person].bindings.remove(at: position)
        unindex(device, of: person)
        bindingCount -= 1
        return device
    }

    private mutating func unindex(_ device: Device, of person: Int) {
        if byBinding.find(device.id) == person { byBinding.remove(device.id) }
        if byContact.find(device.contactHash) == person { byContact.remove(device.contactHash) }
    }

    /// A pure refresh: only the lifetime and the order of requests change, which may be written later.
    mutating func refresh(
        position: Int, of person: Int, until expires: Instant, callID: ArraySlice<UInt8>, cseq: UInt32,
        at now: Instant
    ) {
        people.elements[person].bindings[position].refreshed = now
        people.elements[person].bindings[position].expires = expires
        if !people.elements[person].bindings[position].binding.callID.equals(callID) {
            people.elements[person].bindings[position].binding.callID = Array(callID)
        }
        people.elements[person].bindings[position].binding.cseq = cseq
        people.elements[person].bindings[position].isDirty = true
        guard !people.elements[person].isDirty else { return }
        people.elements[person].isDirty = true
        dirty.append(people.reference(at: person))
    }

    /// Bindings of `change` are not on disk until `noteStored` is called with the same number.
    mutating func noteUnstored(_ change: BindingChange, ticket: UInt64, of person: Int) {
        for position in people.elements[person].bindings.indices
        where change.saved.contains(where: { $0.key == people.elements[person].bindings[position].binding.key }) {
            people.elements[person].bindings[position].unstored = ticket
        }
    }

    mutating func noteStored(ticket: UInt64, of person: SlabReference) {
        guard let person = people.index(of: person) else { return }
        for position in people.elements[person].bindings.indices
        where people.elements[person].bindings[position].unstored == ticket {
            people.elements[person].bindings[position].unstored = nil
        }
    }

    mutating func disconnect(position: Int, of person: Int, for patience: Duration, at now: Instant) {
        people.elements[person].bindings[position].disconnect(for: patience, at: now)
    }

    mutating func setExpiryTimer(_ due: Instant?, of person: Int) { people.elements[person].expiryTimer = due }

    /// The soonest end of a binding of this person.
    func nextExpiry(of person: Int) -> Instant? { people.elements[person].bindings.map(\.ends).min() }

    /// Takes the lifetimes that wait to be written, as changes per person.
    mutating func takeRefreshed(at now: Instant) -> [BindingChange] {
        var changes: [BindingChange] = []
        for reference in dirty {
            guard let index = people.index(of: reference) else { continue }
            people.elements[index].isDirty = false
            var change = BindingChange(user: people.elements[index].user)
            for position in people.elements[index].bindings.indices
            where people.elements[index].bindings[position].isDirty {
                people.elements[index].bindings[position].isDirty = false
                change.saved.append(people.elements[index].bindings[position].record(at: now))
            }
            if !change.isEmpty { changes.append(change) }
        }
        dirty.removeAll(keepingCapacity: true)
        return changes
    }
}
