import Base
import SIP

/// The branch parameter of a Via of ours: which client transaction the response belongs to, whether the request came by
/// before (loop detection, RFC 3261 §16.6 step 8), and a seal.
///
/// `id` is a keyed hash of the request's own transaction and the target. A request that is sent to us again after the
/// server was started anew so goes on with the branch it had, and the device takes it for the copy it is.
///
/// The seal covers the branch of the Via below. A response that finds no transaction, because of such a start, is passed
/// on only if its seal is right: RFC 6026 §8.9 has proxies drop stray responses, because without such a proof anybody
/// could send them through us.
struct BranchToken: Equatable {
    var id: UInt64
    /// Hash of what the routing of the request depends on.
    var loop: UInt64
    var seal: UInt64

    static let length = 7 + 48

    init(id: UInt64, loop: UInt64, previousBranch: ArraySlice<UInt8>, hash: KeyedHash) {
        (self.id, self.loop) = (id, loop)
        seal = Self.seal(id, loop, previousBranch, hash)
    }

    private static func seal(
        _ id: UInt64, _ loop: UInt64, _ previousBranch: ArraySlice<UInt8>, _ hash: KeyedHash
    ) -> UInt64 {
        var state = hash.begin(.branch)
        state.add(id)
        state.add(loop)
        state.add(previousBranch)
        return state.finish()
    }

    /// Whether the branch was made by us, for a request that came with `previousBranch`.
    func isSealed(for previousBranch: ArraySlice<UInt8>, hash: KeyedHash) -> Bool {
        seal == Self.seal(id, loop, previousBranch, hash)
    }

    func serialize(into out: inout [UInt8]) {
        out += Via.magicCookie
        out.appendHexadecimal(id)
        out.appendHexadecimal(loop)
        out.appendHexadecimal(seal)
    }

    /// - Parameter text: a branch parameter's value; nil when it cannot be ours.
    init?(parsing text: ArraySlice<UInt8>) {
        guard text.count == Self.length, text.starts(with: Via.magicCookie) else { return nil }
        let start = text.startIndex + 7
        guard let id = UInt64(hexadecimal: text[start..<start + 16]),
            let loop = UInt64(hexadecimal: text[(start + 16)..<(start + 32)]),
            let seal = UInt64(hexadecimal: text[(start + 32)..<(start + 48)])
        else { return nil }
        (self.id, self.loop, self.seal) = (id, loop, seal)
    }
}

/// How one end of a dialog is reached, whatever its Contact says: the flow token of RFC 5626 §5.2, but one that names
/// the device where it can, so that a device that came back over another connection is found.
enum Way: Equatable, Sendable {
    /// The registered device with this binding id.
    case device(UInt64)
    /// A stream, in this life of the server (`epoch`).
    case stream(id: UInt64, epoch: UInt32)
    /// A peer behind the UDP socket of that number.
    case datagrams(socket: UInt64, TransportAddress)
    /// Not ours: by Route and Request-URI.
    case outside

    func serialize(into out: inout [UInt8]) {
        switch self {
        case .device(let id):
            out.append(UInt8(ascii: "d"))
            out.appendHexadecimal(id)
        case .stream(let id, let epoch):
            out.append(UInt8(ascii: "s"))
            out.appendHexadecimal(id)
            out.appendHexadecimal(UInt64(epoch), digits: 8)
        case .datagrams(let socket, let address):
            out.append(UInt8(ascii: "u"))
            out.appendHexadecimal(socket, digits: 4)
            out.appendHexadecimal(UInt64(address.port), digits: 4)
            switch address.ip {
            case .v4(let bits): out.appendHexadecimal(UInt64(bits), digits: 8)
            case .v6(let high, let low):
                out.appendHexadecimal(high)
                out.appendHexadecimal(low)
            }
        case .outside:
            out.append(UInt8(ascii: "x"))
        }
    }

    init?(parsing text: ArraySlice<UInt8>) {
        guard let kind = text.first else { return nil }
        let rest = text.dropFirst()
        let start = rest.startIndex
        switch kind {
        case UInt8(ascii: "d") where rest.count == 16:
            guard let id = UInt64(hexadecimal: rest) else { return nil }
            self = .device(id)
        case UInt8(ascii: "s") where rest.count == 24:
            guard let id = UInt64(hexadecimal: rest.prefix(16)), let epoch = UInt64(hexadecimal: rest.suffix(8)) else {
                return nil
            }
            self = .stream(id: id, epoch: UInt32(truncatingIfNeeded: epoch))
        case UInt8(ascii: "u") where rest.count == 16 || rest.count == 40:
            guard let socket = UInt64(hexadecimal: rest[start..<start + 4]),
                let port = UInt64(hexadecimal: rest[(start + 4)..<(start + 8)]),
                let high = UInt64(hexadecimal: rest[(start + 8)...].prefix(16))
            else { return nil }
            let port16 = UInt16(truncatingIfNeeded: port)
            if rest.count == 16 {
                self = .datagrams(
                    socket: socket, TransportAddress(ip: .v4(UInt32(truncatingIfNeeded: high)), port: port16))
            } else {
                guard let low = UInt64(hexadecimal: rest.suffix(16)) else { return nil }
                self = .datagrams(socket: socket, TransportAddress(ip: .v6(high: high, low: low), port: port16))
            }
        case UInt8(ascii: "x") where rest.isEmpty:
            self = .outside
        default:
            return nil
        }
    }
}

/// The user part of a Record-Route URI of ours: both ends' ways under a seal over the dialog's Call-ID and caller's tag.
///
/// Whoever sends it back is in that dialog, or was told it by somebody who is; so requests with it pass without a
/// challenge, after a restart too, and nobody else can use us as a relay.
struct RouteToken: Equatable {
    var caller: Way
    var callee: Way

    static let maximumLength = 160

    /// `h<caller>.<callee>.<seal>`
    func serialize(callID: ArraySlice<UInt8>, callerTag: ArraySlice<UInt8>, hash: KeyedHash, into out: inout [UInt8]) {
        let start = out.count
        out.append(UInt8(ascii: "h"))
        caller.serialize(into: &out)
        out.append(UInt8(ascii: "."))
        callee.serialize(into: &out)
        let seal = Self.seal(out[start...], callID, callerTag, hash)
        out.append(UInt8(ascii: "."))
        out.appendHexadecimal(seal)
    }

    /// Which end sent a request with this token.
    enum Direction: Equatable { case fromCaller, fromCallee }

    private static func seal(
        _ ways: ArraySlice<UInt8>, _ callID: ArraySlice<UInt8>, _ tag: ArraySlice<UInt8>, _ hash: KeyedHash
    ) -> UInt64 {
        var state = hash.begin(.route)
        state.add(ways)
        state.add(callID)
        state.add(tag)
        return state.finish()
    }

    /// Opens a token that came back.
    ///
    /// - Returns: nil when it is forged, or belongs to another dialog.
    static func open(
        _ text: ArraySlice<UInt8>, callID: ArraySlice<UInt8>, fromTag: ArraySlice<UInt8>, toTag: ArraySlice<UInt8>,
        hash: KeyedHash
    ) -> (token: RouteToken, direction: Direction)? {
        guard text.first == UInt8(ascii: "h"), text.count > 20, text.count < maximumLength,
            let dot = text.firstIndex(of: UInt8(ascii: "."))
        else { return nil }
        let sealStart = text.endIndex - 16
        guard dot < sealStart - 1, text[sealStart - 1] == UInt8(ascii: "."),
            let seal = UInt64(hexadecimal: text[sealStart...])
        else { return nil }
        let ways = text[..<(sealStart - 1)]
        let direction: Direction
        if Self.seal(ways, callID, fromTag, hash) == seal {
            direction = .fromCaller
        } else if Self.seal(ways, callID, toTag, hash) == seal {
            direction = .fromCallee
        } else {
            return nil
        }
        guard let caller = Way(parsing: text[(text.startIndex + 1)..<dot]),
            let callee = Way(parsing: text[(dot + 1)..<(sealStart - 1)])
        else { return nil }
        return (RouteToken(caller: caller, callee: callee), direction)
    }
}
