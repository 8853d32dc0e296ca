import Base
import SIP

/// What the Route headers of a request say once our own entries are off it (RFC 3261 §16.4).
final class RouteSet {
    /// How many entries at the top were ours.
    let removed: Int
    /// The Request-URI was ours, put there by a strict router before us, and the last Route entry takes its place.
    let repairedURI: [UInt8]?
    /// The Request-URI to route by.
    let uri: SIPURI
    /// The first entry that is left.
    let next: NameAddress?
    /// The other end of the dialog, from a token of ours that fits this dialog.
    let way: Way?

    private init(_ uri: SIPURI, way: Way?, removed: Int, next: NameAddress? = nil, repairedURI: [UInt8]? = nil) {
        (self.uri, self.way, self.removed) = (uri, way, removed)
        (self.next, self.repairedURI) = (next, repairedURI)
    }

    static func read(
        _ incoming: Incoming, own: OwnNames, hash: KeyedHash, limit: Int
    ) throws(SIPParseError) -> RouteSet {
        guard incoming.message.contains(.route) else { return RouteSet(incoming.uri, way: nil, removed: 0) }
        if let quick = quick(incoming, own, hash) { return quick }
        return try thorough(incoming, own, hash, limit: limit)
    }

    /// The usual case within a dialog: one entry, which we wrote.
    private static func quick(_ incoming: Incoming, _ own: OwnNames, _ hash: KeyedHash) -> RouteSet? {
        guard incoming.message.hasOne(.route), let entry = incoming.message.value(of: .route),
            let user = own.userPart(ofRoute: entry), let way = way(user, incoming, hash),
            incoming.uri.user?.first != UInt8(ascii: "h") || Self.way(incoming.uri, incoming, hash) == nil
        else { return nil }
        return RouteSet(incoming.uri, way: way, removed: 1)
    }

    private static func thorough(
        _ incoming: Incoming, _ own: OwnNames, _ hash: KeyedHash, limit: Int
    ) throws(SIPParseError) -> RouteSet {
        var uri = incoming.uri
        var routes = try incoming.message.routes()[...]
        guard routes.count <= limit else { throw .headersTooLong }
        var way: Way?
        var removed = 0
        var repairedURI: [UInt8]?
        let token = Self.way(uri, incoming, hash)
        if token != nil, own.includes(uri.host, port: uri.port, arrivedBy: incoming.flow), let last = routes.popLast() {
            way = token
            uri = last.uri
            repairedURI = last.uri.text
        }
        while let first = routes.first,
            own.includes(first.uri.host, port: first.uri.port, arrivedBy: incoming.flow), !isPerson(first.uri)
        {
            way = Self.way(first.uri, incoming, hash) ?? way
            removed += 1
            routes.removeFirst()
        }
        return RouteSet(uri, way: way, removed: removed, next: routes.first, repairedURI: repairedURI)
    }

    /// A Route with `sip:anna@domain` is no hop of ours but a person; a token or nothing before the @ is ours.
    private static func isPerson(_ uri: SIPURI) -> Bool {
        guard let user = uri.user else { return false }
        return user.first != UInt8(ascii: "h") || !user.contains(UInt8(ascii: "."))
    }

    private static func way(_ uri: SIPURI, _ incoming: Incoming, _ hash: KeyedHash) -> Way? {
        uri.user.flatMap { way($0[...], incoming, hash) }
    }

    private static func way(_ user: ArraySlice<UInt8>, _ incoming: Incoming, _ hash: KeyedHash) -> Way? {
        guard
            let (token, direction) = RouteToken.open(
                user, callID: incoming.message.callID, fromTag: incoming.fromTag, toTag: incoming.toTag, hash: hash)
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
