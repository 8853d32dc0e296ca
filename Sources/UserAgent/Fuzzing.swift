import Base
import SIP

/// Any sequence of messages, commands and waits in the middle of a call; never traps, and keeps its bounds.
///
/// The input is cut at zero bytes; the byte after a zero says what follows: a wait, a command, or a message in which `@T`,
/// `@C` and `@B` stand for the phone's tag, its Call-ID and the branch of its last request.
package func fuzzUserAgent(_ bytes: [UInt8]) {
    var configuration = Configuration(
        aor: [UInt8](ascii: "sip:anna@example.org"), transport: bytes.count % 2 == 0 ? .udp : .wss,
        sentBy: [UInt8](ascii: "phone.invalid"))
    configuration.instanceID = [UInt8](ascii: "urn:uuid:1")
    configuration.password = [UInt8](ascii: "secret")
    var driver: FuzzDriver
    do throws(CommandError) {
        driver = FuzzDriver(
            phone: try UserAgent(configuration: configuration, random: RandomSource(seed: 1), at: .zero))
    } catch { return }
    driver.begin()
    for part in bytes.split(separator: 0, omittingEmptySubsequences: true) { driver.step(part) }
    driver.wait(.seconds(400))
}

private struct FuzzDriver {
    var phone: UserAgent
    private var now = Instant.zero
    /// The last request the phone sent.
    private var last: SIPMessage?

    private static let call = CallID(1)
    private static let ringing = CallID(CallID.firstIncoming)
    private static let sdp = [UInt8](
        ascii: "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n")

    init(phone: UserAgent) { self.phone = phone }

    /// A call of the phone's with an early dialog.
    mutating func begin() {
        phone.connected(at: now)
        perform(.call(Self.call, to: [UInt8](ascii: "sip:bob@example.org"), offer: Self.sdp, replaces: nil))
        receive(
            [UInt8](
                ascii:
                    "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/WSS phone.invalid;branch=@B\r\nFrom: <sip:anna@example.org>;tag=@T\r\nTo: <sip:bob@example.org>;tag=b\r\nCall-ID: @C\r\nCSeq: 1 INVITE\r\nContact: <sip:b@h>\r\nRecv-Info: trickle-ice\r\nContent-Length: 0\r\n\r\n"
            ))
    }

    mutating func step(_ part: ArraySlice<UInt8>) {
        guard let kind = part.first else { return }
        let rest = Array(part.dropFirst())
        switch kind {
        case 1: wait(.milliseconds(Int(rest.first ?? 0) * Int(rest.last ?? 0)))
        case 2: command(rest)
        case 3: phone.disconnected(at: now)
        case 4: phone.connected(at: now)
        default: receive(Array(part))
        }
        drain()
    }

    private mutating func command(_ rest: [UInt8]) {
        let id = (rest.count > 1 && rest[1] % 2 == 0) ? Self.call : Self.ringing
        switch rest.first ?? 0 {
        case 0: perform(.hangUp(id))
        case 1: perform(.answer(id, sdp: Self.sdp))
        case 2: perform(.offer(id, sdp: Self.sdp))
        case 3: perform(.answerOffer(id, sdp: Self.sdp))
        case 4: perform(.rejectOffer(id, status: 488))
        case 5: perform(.candidates(id, fragment: rest))
        case 6: perform(.transfer(id, to: [UInt8](ascii: "sip:c@h")))
        case 7: perform(.transferTo(id, other: id == Self.call ? Self.ringing : Self.call))
        case 8: perform(.acceptTransfer(id, new: CallID(UInt32(rest.count)), offer: Self.sdp))
        case 9: perform(.reject(id, status: Int(rest.last ?? 0) * 3))
        case 10:
            perform(
                .subscribe(
                    id: 1, to: [UInt8](ascii: "sip:b@h"), event: [UInt8](ascii: "presence"), accept: [], expires: 60))
        case 11: perform(.unsubscribe(id: 1))
        case 12:
            perform(
                .publish(
                    id: 1, event: [UInt8](ascii: "presence"), contentType: [UInt8](ascii: "a/b"), body: rest,
                    expires: Int(rest.last ?? 0)))
        case 13: perform(.dtmf(id, signal: rest.last ?? 0, milliseconds: rest.count * 100))
        case 14: perform(.rejectTransfer(id, status: 603))
        case 15: perform(.unregister)
        default: perform(.register)
        }
    }

    private mutating func perform(_ command: Command) {
        do throws(CommandError) { try phone.perform(command, at: now) } catch {}
        drain()
    }

    private mutating func receive(_ template: [UInt8]) {
        var message: [UInt8] = []
        var index = 0
        while index < template.count {
            let next = index + 1 < template.count ? template[index + 1] : 0
            if template[index] == ASCII.at, let part = replacement(next) {
                message += part
                index += 2
            } else {
                message.append(template[index])
                index += 1
            }
        }
        phone.receive(message, at: now)
        drain()
    }

    private func replacement(_ letter: UInt8) -> [UInt8]? {
        switch letter {
        case UInt8(ascii: "T"): last?.fromTag
        case UInt8(ascii: "C"): last.map { Array($0.callID) }
        case UInt8(ascii: "B"): lastBranch
        default: nil
        }
    }

    private var lastBranch: [UInt8]? {
        do throws(SIPParseError) { return try last?.topVia().branch } catch { return nil }
    }

    mutating func wait(_ duration: Duration) {
        let end = now + duration
        while let due = phone.nextTimeout, due <= end {
            now = max(now, due)
            phone.handleTimeout(at: now)
            drain()
        }
        now = end
    }

    private mutating func drain() {
        while let output = phone.pollOutput() {
            guard case .send(let bytes) = output else { continue }
            do throws(SIPParseError) {
                let message = try SIPMessage(parsing: bytes)
                if message.isRequest, message.method != .register { last = message }
            } catch { preconditionFailure("the phone sent what it could not read itself") }
        }
        precondition(phone.callCount <= 64 && phone.transactionCount <= Limits.transactions + 1)
    }
}
