import Base
import SIP

/// What the Route headers of a request say once our own entries are off it (RFC 3261 §16.4).
struct RouteSet {
    /// How many entries at the top were ours.
    private(set) var removed = 0
    /// The Request-URI was ours, put there by a strict router before us, and the last Route entry takes its place.
    private(set) var repairedURI: [UInt8]?
    /// The Request-URI to route by.
    private(set) var uri: SIPURI
    /// The first entry that is left.
    private(set) var next: NameAddress?
    /// The other end of the dialog, from a token of ours that fits this dialog.
    private(set) var way: Way?

    init(_ incoming: Incoming, own: OwnNames, hash: KeyedHash, limit: Int) throws(SIPParseError) {
        uri = incoming.uri
        guard incoming.message.contains(.route) else { return }
        var routes = try incoming.message.routes()[...]
        guard routes.count <= limit else { throw .headersTooLong }
        let token = Self.way(uri, incoming, hash)
        if token != nil, own.includes(uri.host, port: uri.port, arrivedBy: incoming.flow), let last = routes.popLast() {
            way = token
            uri = last.uri
            repairedURI = last.uri.text
        }
        while let first = routes.first,
            own.includes(first.uri.host, port: first.uri.port, arrivedBy: incoming.flow),
            !Self.isPerson(first.uri)
        {
            way = Self.way(first.uri, incoming, hash) ?? way
            removed += 1
            routes.removeFirst()
        }
        next = routes.first
    }

    /// A Route with `sip:anna@domain` is no hop of ours but a person; a token or nothing before the @ is ours.
    private static func isPerson(_ uri: SIPURI) -> Bool {
        guard let user = uri.user else { return false }
        return user.first != UInt8(ascii: "h") || !user.contains(UInt8(ascii: "."))
    }

    private static func way(_ uri: SIPURI, _ incoming: Incoming, _ hash: KeyedHash) -> Way? {
        guard let user = uri.user,
            let (token, direction) = RouteToken.open(
                user[...], callID: incoming.message.callID, fromTag: incoming.fromTag, toTag: incoming.toTag,
                hash: hash)
        else { return nil }
        return direction == .fromCaller ? token.callee : token.caller
    }

    /// Applies the changes to a request that is forwarded.
    func apply(to edit: inout MessageEdit, of message: SIPMessage) {
        if let repairedURI {
            edit.setRequestURI(text: repairedURI)
            let rest = message.values(of: .route).dropFirst(removed).dropLast()
            edit.remove(.route)
            for value in rest { edit.append(.route, RawValue(Array(value))) }
        } else {
            for _ in 0..<removed { edit.removeFirst(.route) }
        }
    }
}
