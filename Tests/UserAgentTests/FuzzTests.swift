import Base
import Testing
import UserAgent

@Suite struct FuzzTests {
    /// Messages that reach deep, as the fuzzer's seeds; the test shuffles and breaks them.
    private static let seeds: [String] = {
        let methods = [
            "INVITE", "BYE", "ACK", "CANCEL", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "MESSAGE", "OPTIONS",
        ]
        var out: [String] = []
        let offer = text(sdp("bob"))
        for method in methods {
            for isInside in [true, false] {
                let body = method == "INVITE" || method == "UPDATE" ? offer : ""
                out.append(
                    """
                    \(method) sip:anna@phone.invalid SIP/2.0\r
                    Via: SIP/2.0/WSS h;branch=z9hG4bK\(method)\(isInside)\r
                    From: <sip:bob@example.org>;tag=b\r
                    To: <sip:anna@example.org>\(isInside ? ";tag=@T" : "")\r
                    Call-ID: \(isInside ? "@C" : "x")\r
                    CSeq: 5 \(method)\r
                    Contact: <sip:b@h>\r
                    Supported: 100rel, timer\r
                    Session-Expires: 90\r
                    Refer-To: <sip:c@h?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r
                    Event: refer\r
                    Subscription-State: terminated\r
                    RAck: 1 1 INVITE\r
                    Content-Type: application/sdp\r
                    Content-Length: \(body.utf8.count)\r
                    \r
                    \(body)
                    """)
            }
        }
        for status in [100, 180, 183, 200, 302, 401, 408, 422, 423, 481, 487, 491, 500, 503] {
            for method in ["INVITE", "BYE", "UPDATE", "INFO", "REFER", "NOTIFY", "SUBSCRIBE", "PUBLISH", "PRACK"] {
                for cseq in 1...3 {
                    out.append(
                        """
                        SIP/2.0 \(status) X\r
                        Via: SIP/2.0/WSS phone.invalid;branch=@B\r
                        From: <sip:anna@example.org>;tag=@T\r
                        To: <sip:bob@example.org>;tag=b\(cseq)\r
                        Call-ID: @C\r
                        CSeq: \(cseq) \(method)\r
                        Contact: <sip:b@h>\r
                        Require: 100rel\r
                        RSeq: \(cseq)\r
                        Allow: UPDATE\r
                        Recv-Info: trickle-ice\r
                        Session-Expires: 4294967295\r
                        Min-SE: 100\r
                        Expires: 4294967295\r
                        Min-Expires: 4294967295\r
                        Retry-After: 4294967295\r
                        WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r
                        Content-Type: application/sdp\r
                        Content-Length: \(offer.utf8.count)\r
                        \r
                        \(offer)
                        """)
                }
            }
        }
        return out
    }()

    @Test func `no order of messages, commands and waits stops the phone`() {
        var random = RandomSource(seed: 4)
        for _ in 0..<400 {
            var input: [UInt8] = []
            for _ in 0..<Int(random.next() % 30) {
                input.append(0)
                switch random.next() % 4 {
                case 0:
                    input.append(UInt8(random.next() % 4) + 1)
                    input += random.bytes(count: 4).map { $0 % 20 == 0 ? 1 : $0 % 20 }
                default:
                    var message = bytes(Self.seeds[Int(random.next() % UInt64(Self.seeds.count))])
                    if random.next() % 8 == 0 {
                        let place = Int(random.next() % UInt64(message.count))
                        message[place] = UInt8(truncatingIfNeeded: random.next() | 1)
                    }
                    input += message
                }
            }
            fuzzUserAgent(input)
        }
    }

    @Test func `any bytes are borne`() {
        var random = RandomSource(seed: 5)
        for length in 0..<300 { fuzzUserAgent(random.bytes(count: length)) }
    }
}
