import Base
import STUN

/// An address whose packets are let in, until when (RFC 8656 §9).
struct Permission: Sendable {
    var address = IPAddress.v4(0)
    var expires = Instant(nanoseconds: .min)
}

/// A number that stands for a peer, until when (RFC 8656 §12).
struct ChannelBinding: Sendable {
    var number = UInt16(0)
    var peer = TransportAddress(ip: .v4(0), port: 0)
    var expires = Instant(nanoseconds: .min)
}

/// What a client has on the server (RFC 8656 §3.2), but for permissions and channels, which stand in the table beside it.
struct Allocation: ~Copyable, Sendable {
    enum State: UInt8, Sendable {
        /// A free slot.
        case vacant
        /// Its sockets are being opened; the client has no answer yet.
        case opening
        case open
    }

    var state = State.vacant
    var generation: UInt32
    let client: TURNClient
    /// Slot of the person who made it.
    let account: Int
    /// Of the Allocate request, to tell a copy from another one (§7.2).
    let transactionID: TransactionID
    /// Protects the answer to it.
    let answerKey: IntegrityKey
    let hasFingerprint: Bool
    /// Seconds granted.
    let lifetime: UInt32
    var expires: Instant
    /// When the heap's entry for it fires, which may be earlier.
    var armed: Instant
    /// Slots of its relays; -1 for none.
    var relayV4 = Int32(-1)
    var relayV6 = Int32(-1)
    /// Slot of the port above, while it waits to be opened and kept; -1 for none.
    var pair = Int32(-1)
    /// Why there is no second relay, though one was asked for; 0 when there is (§7.2, ADDRESS-ERROR-CODE).
    var additionalError = UInt16(0)
    /// What the port above it is claimed with; nil for none.
    var reservation: UInt64?

    init(
        generation: UInt32, client: TURNClient, account: Int, transactionID: TransactionID, answerKey: IntegrityKey,
        hasFingerprint: Bool, lifetime: UInt32, expires: Instant
    ) {
        state = .opening
        (self.generation, self.client, self.account) = (generation, client, account)
        (self.transactionID, self.answerKey, self.hasFingerprint) = (transactionID, answerKey, hasFingerprint)
        (self.lifetime, self.expires, armed) = (lifetime, expires, expires)
    }

    func isOpen(at now: Instant) -> Bool { state == .open && now < expires }

    func relay(_ family: AddressFamily) -> Int32 { family == .v4 ? relayV4 : relayV6 }

    mutating func setRelay(_ slot: Int32, _ family: AddressFamily) {
        if family == .v4 { relayV4 = slot } else { relayV6 = slot }
    }
}

/// A relayed transport address.
struct Relay: Sendable {
    enum State: UInt8, Sendable {
        case vacant, opening, open
    }

    var state: State
    var generation: UInt32
    /// What peers know, and where the socket is bound.
    var announced: TransportAddress
    var bound: TransportAddress
    /// Slot of its allocation; -1 while it is only reserved.
    var allocation: Int32
    /// The allocation whose pair it completes, while that waits for it; else -1.
    var reservedFor = Int32(-1)
    var token = UInt64(0)
    var tries = 0
    /// What kind of port it needs: even ones begin a pair.
    var isEven = false

    var family: AddressFamily { AddressFamily(of: announced.ip) }
}
