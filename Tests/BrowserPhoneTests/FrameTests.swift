import Base
import BrowserPhone
import Foundation
import SIP
import Testing
import UserAgent

/// Both sides of the seam are held against one list of frames, `Frames/frames.txt`: here Swift's, in
/// `Web/tests/frames.test.js` the page's.
struct FrameTests {
    /// One of every command, with fields of every size.
    static let commands: [(name: String, command: Command)] = [
        ("register", .register), ("unregister", .unregister),
        ("call", .call(CallID(7), to: text("sip:bob@example.org"), offer: text("v=0"), replaces: CallID(9))),
        ("call", .call(CallID(7), to: text("sip:bob@example.org"), offer: [], replaces: nil)),
        ("answer", .answer(CallID(0x8000_0001), sdp: text("v=0\r\n"))), ("reject", .reject(CallID(1), status: 486)),
        ("hangUp", .hangUp(CallID(0xffff_ffff))), ("offer", .offer(CallID(1), sdp: text("v=0"))),
        ("answerOffer", .answerOffer(CallID(1), sdp: text("v=0"))),
        ("rejectOffer", .rejectOffer(CallID(1), status: 488)),
        ("candidates", .candidates(CallID(1), fragment: text("a=mid:0"))),
        ("transfer", .transfer(CallID(1), to: text("sip:zoë@example.org"))),
        ("transferTo", .transferTo(CallID(1), other: CallID(2))),
        ("acceptTransfer", .acceptTransfer(CallID(1), new: CallID(2), offer: text("v=0"))),
        ("rejectTransfer", .rejectTransfer(CallID(1), status: 603)),
        ("dtmf", .dtmf(CallID(1), signal: UInt8(ascii: "#"), milliseconds: 160)),
        ("info", .info(CallID(1), contentType: text("text/plain"), body: [0, 255])),
        (
            "message",
            .message(id: 5, to: text("sip:bob@example.org"), contentType: text("text/plain"), body: text("hi"))
        ),
        ("callMessage", .callMessage(id: 6, CallID(1), contentType: text("text/plain"), body: text("hi"))),
        (
            "subscribe",
            .subscribe(
                id: 7, to: text("sip:bob@example.org"), event: text("presence"), accept: text("a/b"), expires: 600)
        ),
        ("unsubscribe", .unsubscribe(id: 7)),
        ("publish", .publish(id: 8, event: text("presence"), contentType: text("a/b"), body: [1], expires: 3600)),
        ("options", .options(id: 9, to: text("sip:bob@example.org"))),
    ]

    /// One of every output.
    static let outputs: [(name: String, output: UserAgent.Output)] = [
        ("send", .send(text("OPTIONS sip:a SIP/2.0\r\n"))), ("registered", .event(.registered(expires: 600))),
        ("registrationFailed", .event(.registrationFailed(status: 503, reason: text("Later"), retryAfter: 30))),
        ("unregistered", .event(.unregistered)),
        (
            "incoming",
            .event(
                .incoming(
                    CallID(0x8000_0000), fromName: text("Zoë"), fromURI: text("sip:z@h"), sdp: text("v=0"),
                    replaces: CallID(3)))
        ),
        ("incoming", .event(.incoming(CallID(0x8000_0000), fromName: [], fromURI: [], sdp: [], replaces: nil))),
        ("progress", .event(.progress(CallID(1), status: 180, reason: text("Ringing"), sdp: []))),
        ("answered", .event(.answered(CallID(1), sdp: text("v=0")))),
        ("offered", .event(.offered(CallID(1), sdp: text("v=0")))),
        ("offerAnswered", .event(.offerAnswered(CallID(1), sdp: text("v=0")))),
        ("offerFailed", .event(.offerFailed(CallID(1), status: 488, reason: text("No")))),
        ("candidates", .event(.candidates(CallID(1), fragment: text("a=mid:0")))),
        ("ended", .event(.ended(CallID(1), cause: .replaced, status: 200, reason: text("OK")))),
        ("ended", .event(.ended(CallID(1), cause: .hungUp, status: 0, reason: []))),
        ("transferRequested", .event(.transferRequested(CallID(1), to: text("sip:c@h")))),
        ("transferProgress", .event(.transferProgress(CallID(1), status: 180))),
        ("dtmf", .event(.dtmf(CallID(1), signal: UInt8(ascii: "*"), milliseconds: 100))),
        ("info", .event(.info(CallID(1), contentType: text("a/b"), body: [0, 255]))),
        (
            "message",
            .event(
                .message(
                    fromURI: text("sip:z@h"), contentType: text("text/plain"), body: text("hi"), sipCallID: text("x@y"),
                    call: CallID(1)))
        ),
        (
            "message",
            .event(.message(fromURI: text("sip:z@h"), contentType: [], body: [], sipCallID: text("x"), call: nil))
        ),
        ("messageResult", .event(.messageResult(id: 5, status: 202, reason: text("Accepted")))),
        ("notified", .event(.notified(id: 7, state: .terminated, contentType: text("a/b"), body: [1]))),
        ("subscriptionEnded", .event(.subscriptionEnded(id: 7, status: 481, reason: text("Gone")))),
        ("published", .event(.published(id: 8, expires: 3600))),
        ("publishFailed", .event(.publishFailed(id: 8, status: 489, reason: text("Bad Event")))),
        ("optionsResult", .event(.optionsResult(id: 9, status: 200, reason: text("OK")))),
        ("log", .event(.log(.warning, text: text("odd")))),
    ]

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `writes and reads exactly the frames on the list`() throws {
        let list =
            Self.commands.map { "command \($0.name) \(hex($0.command.frame))" }
            + Self.outputs.map { "output \($0.name) \(hex($0.output.frame))" }
        let file = try #require(Bundle.module.url(forResource: "frames", withExtension: "txt", subdirectory: "Frames"))
        let expected = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(list == expected)
        for (name, command) in Self.commands { #expect(try Command(frame: command.frame) == command, "\(name)") }
    }

    @Test func `every kind has its own number and is on the list`() {
        #expect(Set(Self.commands.map { $0.command.frame.first }).count == 22)
        #expect(Set(Self.outputs.map { $0.output.frame.first }).count == 24)
    }

    @Test func `every shortened frame is refused, and every lengthened one`() {
        for (name, command) in Self.commands {
            let frame = command.frame
            for length in 1..<frame.count {
                #expect(throws: FrameError.truncated, "\(name)") { try Command(frame: Array(frame.prefix(length))) }
            }
            #expect(throws: FrameError.trailingBytes, "\(name)") { try Command(frame: frame + [0]) }
        }
        #expect(throws: FrameError.truncated) { try Command(frame: []) }
        for kind in [0, 23, 255] as [UInt8] {
            #expect(throws: FrameError.unknownKind) { try Command(frame: [kind, 0, 0, 0, 0]) }
        }
    }

    @Test func `refuses values that no field can have`() {
        #expect(throws: FrameError.badValue) { try Command(frame: [5, 1, 0, 0, 0, 0, 0, 0, 128]) }
        #expect(throws: FrameError.badValue) { try Command(frame: [15, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]) }
        #expect(throws: FrameError.badValue) { try Command(frame: [3] + Array(repeating: 0, count: 12) + [2]) }
        #expect(throws: FrameError.truncated) { try Command(frame: [4, 0, 0, 0, 0, 255, 255, 255, 255, 0]) }
    }

    private func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
}
