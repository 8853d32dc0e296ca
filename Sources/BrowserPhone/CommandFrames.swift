import Base
import SIP
import UserAgent

/// The kinds of commands. Numbers are never used again for something else: a cached page may meet a newer agent.
extension Command {
    package init(frame: [UInt8]) throws(FrameError) {
        var reader = FrameReader(frame)
        self = try Self.read(&reader)
        try reader.finish()
    }

    private static func read(_ reader: inout FrameReader) throws(FrameError) -> Command {
        switch try reader.byte() {
        case 1: .register
        case 2: .unregister
        case 3:
            .call(
                try reader.call(), to: try reader.bytes(), offer: try reader.bytes(),
                replaces: try reader.optionalCall())
        case 4: .answer(try reader.call(), sdp: try reader.bytes())
        case 5: .reject(try reader.call(), status: try reader.integer())
        case 6: .hangUp(try reader.call())
        case 7: .offer(try reader.call(), sdp: try reader.bytes())
        case 8: .answerOffer(try reader.call(), sdp: try reader.bytes())
        case 9: .rejectOffer(try reader.call(), status: try reader.integer())
        case 10: .candidates(try reader.call(), fragment: try reader.bytes())
        case 11: .transfer(try reader.call(), to: try reader.bytes())
        case 12: .transferTo(try reader.call(), other: try reader.call())
        case 13: .acceptTransfer(try reader.call(), new: try reader.call(), offer: try reader.bytes())
        case 14: .rejectTransfer(try reader.call(), status: try reader.integer())
        case 15: .dtmf(try reader.call(), signal: try reader.octet(), milliseconds: try reader.integer())
        case 16: .info(try reader.call(), contentType: try reader.bytes(), body: try reader.bytes())
        case 17:
            .message(
                id: try reader.number(), to: try reader.bytes(), contentType: try reader.bytes(),
                body: try reader.bytes())
        case 18:
            .callMessage(
                id: try reader.number(), try reader.call(), contentType: try reader.bytes(), body: try reader.bytes())
        case 19:
            .subscribe(
                id: try reader.number(), to: try reader.bytes(), event: try reader.bytes(), accept: try reader.bytes(),
                expires: try reader.integer())
        case 20: .unsubscribe(id: try reader.number())
        case 21:
            .publish(
                id: try reader.number(), event: try reader.bytes(), contentType: try reader.bytes(),
                body: try reader.bytes(), expires: try reader.integer())
        case 22: .options(id: try reader.number(), to: try reader.bytes())
        default: throw .unknownKind
        }
    }

    /// The frame that is read as this command: what the page writes, and the tests.
    package var frame: [UInt8] {
        switch self {
        case .register: Self.write(1) { _ in }
        case .unregister: Self.write(2) { _ in }
        case .call(let call, let to, let offer, let replaces):
            Self.write(3) {
                $0.add(call)
                $0.add(to)
                $0.add(offer)
                $0.add(replaces)
            }
        case .answer(let call, let sdp): Self.write(4, call, sdp)
        case .reject(let call, let status): Self.write(5, call, status)
        case .hangUp(let call): Self.write(6) { $0.add(call) }
        case .offer(let call, let sdp): Self.write(7, call, sdp)
        case .answerOffer(let call, let sdp): Self.write(8, call, sdp)
        case .rejectOffer(let call, let status): Self.write(9, call, status)
        case .candidates(let call, let fragment): Self.write(10, call, fragment)
        case .transfer(let call, let to): Self.write(11, call, to)
        case .transferTo(let call, let other):
            Self.write(12) {
                $0.add(call)
                $0.add(other)
            }
        case .acceptTransfer(let call, let new, let offer):
            Self.write(13) {
                $0.add(call)
                $0.add(new)
                $0.add(offer)
            }
        case .rejectTransfer(let call, let status): Self.write(14, call, status)
        case .dtmf(let call, let signal, let milliseconds):
            Self.write(15) {
                $0.add(call)
                $0.add(UInt32(signal))
                $0.add(milliseconds)
            }
        case .info(let call, let contentType, let body):
            Self.write(16) {
                $0.add(call)
                $0.add(contentType)
                $0.add(body)
            }
        case .message(let id, let to, let contentType, let body):
            Self.write(17) {
                $0.add(id)
                $0.add(to)
                $0.add(contentType)
                $0.add(body)
            }
        case .callMessage(let id, let call, let contentType, let body):
            Self.write(18) {
                $0.add(id)
                $0.add(call)
                $0.add(contentType)
                $0.add(body)
            }
        case .subscribe(let id, let to, let event, let accept, let expires):
            Self.write(19) {
                $0.add(id)
                $0.add(to)
                $0.add(event)
                $0.add(accept)
                $0.add(expires)
            }
        case .unsubscribe(let id): Self.write(20) { $0.add(id) }
        case .publish(let id, let event, let contentType, let body, let expires):
            Self.write(21) {
                $0.add(id)
                $0.add(event)
                $0.add(contentType)
                $0.add(body)
                $0.add(expires)
            }
        case .options(let id, let to):
            Self.write(22) {
                $0.add(id)
                $0.add(to)
            }
        }
    }

    private static func write(_ kind: UInt8, _ fields: (inout FrameWriter) -> Void) -> [UInt8] {
        var writer = FrameWriter(kind: kind)
        fields(&writer)
        return writer.bytes
    }

    private static func write(_ kind: UInt8, _ call: CallID, _ text: [UInt8]) -> [UInt8] {
        write(kind) {
            $0.add(call)
            $0.add(text)
        }
    }

    private static func write(_ kind: UInt8, _ call: CallID, _ number: Int) -> [UInt8] {
        write(kind) {
            $0.add(call)
            $0.add(number)
        }
    }
}

extension Configuration {
    /// The frame of `hearth_start`.
    package init(frame: [UInt8]) throws(FrameError) {
        var reader = FrameReader(frame)
        guard try reader.byte() == 1 else { throw .unknownKind }
        let aor = try reader.bytes()
        let displayName = try reader.bytes()
        let authUser = try reader.bytes()
        let password = try reader.optionalBytes()
        let instanceID = try reader.bytes()
        guard let transport = SIPTransport(rawValue: try reader.octet()) else { throw .badValue }
        self.init(aor: aor, transport: transport, sentBy: try reader.bytes())
        (self.displayName, self.authUser, self.password) = (displayName, authUser, password)
        self.instanceID = instanceID
        contactHost = try reader.bytes()
        contactUser = try reader.bytes()
        registrar = try reader.bytes()
        outboundProxy = try reader.bytes()
        expires = try reader.integer()
        sessionExpires = try reader.integer()
        userAgentHeader = try reader.bytes()
        guard let trickle = Trickle(rawValue: try reader.octet()) else { throw .badValue }
        self.trickle = trickle
        try reader.finish()
    }
}
