import Base
import SIP
import UserAgent

/// The kinds of commands. Numbers are never used again for something else: a cached page may meet a newer agent.
extension Command {
    package init(frame: [UInt8]) throws(FrameError) {
        var reader = FrameReader(frame)
        let command = Self.read(&reader)
        try reader.finish()
        self = command
    }

    private static func read(_ reader: inout FrameReader) -> Command {
        switch reader.byte() {
        case 1: .register
        case 2: .unregister
        case 3:
            .call(
                reader.call(), to: reader.bytes(), offer: reader.bytes(),
                replaces: reader.optionalCall())
        case 4: .answer(reader.call(), sdp: reader.bytes())
        case 5: .reject(reader.call(), status: reader.integer())
        case 6: .hangUp(reader.call())
        case 7: .offer(reader.call(), sdp: reader.bytes())
        case 8: .answerOffer(reader.call(), sdp: reader.bytes())
        case 9: .rejectOffer(reader.call(), status: reader.integer())
        case 10: .candidates(reader.call(), fragment: reader.bytes())
        case 11: .transfer(reader.call(), to: reader.bytes())
        case 12: .transferTo(reader.call(), other: reader.call())
        case 13: .acceptTransfer(reader.call(), new: reader.call(), offer: reader.bytes())
        case 14: .rejectTransfer(reader.call(), status: reader.integer())
        case 15: .dtmf(reader.call(), signal: reader.octet(), milliseconds: reader.integer())
        case 16: .info(reader.call(), contentType: reader.bytes(), body: reader.bytes())
        case 17:
            .message(
                id: reader.number(), to: reader.bytes(), contentType: reader.bytes(),
                body: reader.bytes())
        case 18:
            .callMessage(
                id: reader.number(), reader.call(), contentType: reader.bytes(), body: reader.bytes())
        case 19:
            .subscribe(
                id: reader.number(), to: reader.bytes(), event: reader.bytes(), accept: reader.bytes(),
                expires: reader.integer())
        case 20: .unsubscribe(id: reader.number())
        case 21:
            .publish(
                id: reader.number(), event: reader.bytes(), contentType: reader.bytes(),
                body: reader.bytes(), expires: reader.integer())
        case 22: .options(id: reader.number(), to: reader.bytes())
        default: unknown(&reader)
        }
    }

    private static func unknown(_ reader: inout FrameReader) -> Command {
        reader.fail(.unknownKind)
        return .register
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
        if reader.byte() != 1 { reader.fail(.unknownKind) }
        self.init(aor: reader.bytes(), transport: .wss, sentBy: [])
        displayName = reader.bytes()
        authUser = reader.bytes()
        password = reader.optionalBytes()
        instanceID = reader.bytes()
        if let transport = SIPTransport(rawValue: reader.octet()) {
            self.transport = transport
        } else {
            reader.fail(.badValue)
        }
        sentBy = reader.bytes()
        contactHost = reader.bytes()
        contactUser = reader.bytes()
        registrar = reader.bytes()
        outboundProxy = reader.bytes()
        expires = reader.integer()
        sessionExpires = reader.integer()
        userAgentHeader = reader.bytes()
        if let trickle = Trickle(rawValue: reader.octet()) { self.trickle = trickle } else { reader.fail(.badValue) }
        try reader.finish()
    }
}
