import Base
import UserAgent

/// What the page is given, one frame each: messages to send, and events. Numbers are never used again for something else.
extension UserAgent.Output {
    package var frame: [UInt8] {
        switch self {
        case .send(let message):
            var writer = FrameWriter(kind: 1)
            writer.add(message)
            return writer.bytes
        case .event(let event): return event.frame
        }
    }
}

extension Event {
    private var kind: UInt8 {
        switch self {
        case .registered: 2
        case .registrationFailed: 3
        case .unregistered: 4
        case .incoming: 5
        case .progress: 6
        case .answered: 7
        case .offered: 8
        case .offerAnswered: 9
        case .offerFailed: 10
        case .candidates: 11
        case .ended: 12
        case .transferRequested: 13
        case .transferProgress: 14
        case .dtmf: 15
        case .info: 16
        case .message: 17
        case .messageResult: 18
        case .notified: 19
        case .subscriptionEnded: 20
        case .published: 21
        case .publishFailed: 22
        case .optionsResult: 23
        case .log: 24
        }
    }

    package var frame: [UInt8] {
        var writer = FrameWriter(kind: kind)
        switch self {
        case .registered(let expires): writer.add(expires)
        case .registrationFailed(let status, let reason, let retryAfter):
            writer.add(status)
            writer.add(reason)
            writer.add(retryAfter)
        case .unregistered: break
        case .incoming(let call, let fromName, let fromURI, let sdp, let replaces):
            writer.add(call)
            writer.add(fromName)
            writer.add(fromURI)
            writer.add(sdp)
            writer.add(replaces)
        case .progress(let call, let status, let reason, let sdp):
            writer.add(call)
            writer.add(status)
            writer.add(reason)
            writer.add(sdp)
        case .answered(let call, let sdp), .offered(let call, let sdp), .offerAnswered(let call, let sdp):
            writer.add(call)
            writer.add(sdp)
        case .offerFailed(let call, let status, let reason):
            writer.add(call)
            writer.add(status)
            writer.add(reason)
        case .candidates(let call, let fragment):
            writer.add(call)
            writer.add(fragment)
        case .ended(let call, let cause, let status, let reason):
            writer.add(call)
            writer.add(UInt32(cause.rawValue))
            writer.add(status)
            writer.add(reason)
        case .transferRequested(let call, let to):
            writer.add(call)
            writer.add(to)
        case .transferProgress(let call, let status):
            writer.add(call)
            writer.add(status)
        case .dtmf(let call, let signal, let milliseconds):
            writer.add(call)
            writer.add(UInt32(signal))
            writer.add(milliseconds)
        case .info(let call, let contentType, let body):
            writer.add(call)
            writer.add(contentType)
            writer.add(body)
        case .message(let fromURI, let contentType, let body, let sipCallID, let call):
            writer.add(fromURI)
            writer.add(contentType)
            writer.add(body)
            writer.add(sipCallID)
            writer.add(call)
        case .messageResult(let id, let status, let reason), .subscriptionEnded(let id, let status, let reason),
            .publishFailed(let id, let status, let reason), .optionsResult(let id, let status, let reason):
            writer.add(id)
            writer.add(status)
            writer.add(reason)
        case .notified(let id, let state, let contentType, let body):
            writer.add(id)
            writer.add(UInt32(state.rawValue))
            writer.add(contentType)
            writer.add(body)
        case .published(let id, let expires):
            writer.add(id)
            writer.add(expires)
        case .log(let level, let text):
            writer.add(UInt32(level.rawValue))
            writer.add(text)
        }
        return writer.bytes
    }
}
