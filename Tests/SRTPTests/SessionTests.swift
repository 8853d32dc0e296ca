import Base
import RTP
import Testing

@testable import SRTP

struct SessionTests {
    @Test(arguments: SRTPSuite.allCases)
    func `what one end protects, the other reads, both ways`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        for number in 0..<300 {
            let packet = media(number, payload: number)
            let made = here.protecting(packet)
            #expect(made.bytes.count == packet.count + suite.mediaTagCount)
            #expect(there.unprotecting(made.bytes) == .packet(packet))
            let back = report(words: number % 9)
            let sealed = there.protectingReport(back)
            #expect(sealed.bytes.count == back.count + suite.reportTagCount + 4)
            #expect(here.unprotectingReport(sealed.bytes) == .packet(back))
        }
    }

    @Test(arguments: SRTPSuite.allCases)
    func `contributors and extensions stay readable, and are authenticated`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        var packet = media(7, payload: 0)
        packet[0] = 0x92
        packet += [0, 0, 0, 5, 0, 0, 0, 6, 0xbe, 0xde, 0, 1, 0x10, 0x61, 0, 0] + Array("payload".utf8)
        var sealed = here.protecting(packet).bytes
        #expect(sealed.prefix(28).elementsEqual(packet.prefix(28)))
        sealed[25] ^= 1
        #expect(there.unprotecting(sealed) == .refused(.notAuthentic))
        sealed[25] ^= 1
        #expect(there.unprotecting(sealed) == .packet(packet))
    }

    @Test(arguments: SRTPSuite.allCases)
    func `a packet is taken once, and not after a thousand others`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        let sealed = (0..<1200).map { here.protecting(media($0)).bytes }
        #expect(there.unprotecting(sealed[100]).bytes == media(100))
        #expect(there.unprotecting(sealed[100]) == .refused(.replayed))
        #expect(there.unprotecting(sealed[99]).bytes == media(99))
        #expect(there.unprotecting(sealed[1122]).bytes == media(1122))
        #expect(there.unprotecting(sealed[99]) == .refused(.replayed))
        #expect(there.unprotecting(sealed[98]) == .refused(.tooOld))
        #expect(there.unprotecting(sealed[101]).bytes == media(101))
        let reported = here.protectingReport(report()).bytes
        #expect(there.unprotectingReport(reported).bytes == report())
        #expect(there.unprotectingReport(reported) == .refused(.replayed))
    }

    @Test(arguments: SRTPSuite.allCases)
    func `a number is used once, unless the same packet is sent again`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        let first = here.protecting(media(10))
        #expect(here.protecting(media(10)) == .refused(.replayed))
        for number in 11..<500 { _ = here.protecting(media(number)) }
        #expect(here.protecting(media(10), isRepeat: true) == first)
        #expect(there.unprotecting(first.bytes).bytes == media(10))
        #expect(there.unprotecting(first.bytes) == .refused(.replayed))
        // What came late from the other leg is no repeat, and still goes out.
        #expect(there.unprotecting(here.protecting(media(9)).bytes).bytes == media(9))
    }

    @Test(arguments: SRTPSuite.allCases)
    func `counters roll over with loss, reordering and repetition around each turn`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        var random = RandomSource(seed: 11)
        var held: [(number: Int, bytes: [UInt8])] = []
        var (taken, lost) = (0, 0)
        for number in 65_000..<65_000 + 3 * 65_536 {
            let bytes = here.protecting(media(number, payload: 8)).bytes
            if random.next() % 10 == 0 {
                lost += 1
            } else {
                held.append((number, bytes))
            }
            guard held.count > 16 else { continue }
            let next = held.remove(at: Int(random.next() % 16))
            #expect(there.unprotecting(next.bytes).bytes == media(next.number, payload: 8))
            if random.next() % 100 == 0 { #expect(there.unprotecting(next.bytes) == .refused(.replayed)) }
            taken += 1
        }
        #expect(taken + lost + held.count == 3 * 65_536)
        #expect(there.remoteRolloverCounter(of: SSRC(0x0102_0304)) == 3)
        #expect(here.localRolloverCounter(of: SSRC(0x0102_0304)) == 3)
    }

    @Test func `who joins in the middle of a turn is told the counter`() throws {
        let (here, there) = try pair(.aes128CounterSHA1Tag80)
        for number in 0..<70_000 { _ = here.protecting(media(number, payload: 0)) }
        let sealed = here.protecting(media(70_000)).bytes
        #expect(there.unprotecting(sealed) == .refused(.notAuthentic))
        #expect(there.remoteRolloverCounter(of: SSRC(0x0102_0304)) == nil)
        let number = SequenceNumber(UInt16(70_000 - 65_536))
        #expect(there.setRemoteRolloverCounter(1, near: number, of: SSRC(0x0102_0304)))
        #expect(there.unprotecting(sealed).bytes == media(70_000))
        #expect(there.unprotecting(sealed) == .refused(.replayed))
    }

    @Test(arguments: SRTPSuite.allCases)
    func `a new key goes on with the counters`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        for number in 65_500..<65_600 {
            #expect(there.unprotecting(here.protecting(media(number)).bytes).bytes == media(number))
        }
        let old = here.protecting(media(65_600)).bytes
        try here.replaceLocalKey(masterKey(suite, seed: 3))
        try there.replaceRemoteKey(masterKey(suite, seed: 3))
        #expect(there.unprotecting(old) == .refused(.notAuthentic))
        let fresh = here.protecting(media(65_601)).bytes
        #expect(there.unprotecting(fresh).bytes == media(65_601))
        #expect(there.unprotectingReport(here.protectingReport(report()).bytes).bytes == report())
        // The other direction was not touched.
        #expect(here.unprotecting(there.protecting(media(1)).bytes).bytes == media(1))
    }

    @Test func `sources are bounded, and only authentic ones count`() throws {
        let (here, there) = try pair(.aes128GCM)
        for ssrc in 0..<200 { #expect(there.unprotecting(media(1, ssrc: UInt32(ssrc))) == .refused(.notAuthentic)) }
        for ssrc in 0..<SRTPContext.maximumSources {
            let packet = media(1, ssrc: UInt32(ssrc))
            #expect(there.unprotecting(here.protecting(packet).bytes).bytes == packet)
        }
        #expect(here.protecting(media(1, ssrc: 1000)) == .refused(.tooManySources))
        #expect(there.unprotecting(media(1, ssrc: 1000)) == .refused(.tooManySources))
        #expect(here.protectingReport(report(ssrc: 1000)) == .refused(.tooManySources))
        #expect(there.unprotectingReport(report(ssrc: 1000)) == .refused(.malformed))
        there.forgetRemoteSources()
        #expect(there.unprotecting(here.protecting(media(2, ssrc: 5)).bytes).bytes == media(2, ssrc: 5))
    }

    @Test func `a buffer without room for the tag is not touched`() throws {
        let (here, _) = try pair(.aes128GCM)
        #expect(here.protecting(media(1), room: 15) == .refused(.noRoom))
        #expect(here.protectingReport(report(), room: 19) == .refused(.noRoom))
        #expect(here.protecting(media(1), room: 16).bytes.count == media(1).count + 16)
    }

    @Test func `indices end before they repeat`() throws {
        let (here, _) = try pair(.aes128CounterSHA1Tag80)
        let ssrc = SSRC(0x0102_0304)
        #expect(here.setLocalRolloverCounter(.max, near: SequenceNumber(65_534), of: ssrc))
        #expect(here.protecting(media(65_535)).bytes.count > 0)
        #expect(here.protecting(media(0)) == .refused(.keyExpired))
    }
}
