import Base
import CallControl
import SIP

/// Drives the proxy of a household with a script of inputs: for the fuzzer and the replay of its corpus.
///
/// The script is steps of one byte of kind, one of length in units of eight bytes, and that many bytes. In a message `%`
/// stands for the Via, From, To, Call-ID, CSeq and Record-Route lines of what the proxy sent last, so that answers match.
package func fuzzCallControl(_ script: [UInt8]) {
    let local = TransportAddress(ip: .loopback, port: 5060)
    let remote = TransportAddress(ip: .v4(0xc000_0201), port: 5062)
    let transports: [SIPTransport] = [.udp, .wss, .wss, .tcp]
    let flows = transports.indices.map {
        Flow(transport: transports[$0], id: UInt64($0 + 1), remote: remote, local: local)
    }
    var configuration = CallController.Configuration(
        domain: [UInt8](ascii: "example.org"), secret: [UInt8](repeating: 7, count: 32))
    configuration.listeners = transports[..<2].indices.map {
        .init(
            transport: transports[$0], id: UInt64($0 + 1), host: [UInt8](ascii: "example.org"), port: 5060, local: local
        )
    }
    var now = Instant.zero
    var proxy = CallController(configuration: configuration, random: RandomSource(seed: 3), at: now)
    proxy.load(
        accounts: [SIPAccount(user: [UInt8](ascii: "anna")), SIPAccount(user: [UInt8](ascii: "bob"))], bindings: [],
        at: now)
    proxy.flowOpened(flows[1], user: [UInt8](ascii: "anna"), at: now)
    proxy.flowOpened(flows[2], user: [UInt8](ascii: "bob"), at: now)
    var sent: [UInt8] = []
    var rest = script[...]
    while let kind = rest.popFirst(), let units = rest.popFirst() {
        let data = Array(rest.prefix(Int(units) * 8))
        rest = rest.dropFirst(data.count)
        switch kind % 8 {
        case 0..<4: proxy.receive(filled(data, from: sent), on: flows[Int(kind % 8)], at: now)
        case 4:
            now += .milliseconds(Int(units) * 250)
            proxy.handleTimeout(at: now)
        case 5: proxy.flowClosed(flows[Int(units % 4)], at: now)
        case 6: proxy.flowOpened(flows[Int(units % 3) + 1], user: units > 3 ? [UInt8](ascii: "bob") : nil, at: now)
        default: proxy.remove(user: [UInt8](ascii: "bob"), at: now)
        }
        var outputs = 0
        while let output = proxy.pollOutput() {
            outputs += 1
            precondition(outputs < 10_000, "the proxy never stops talking")
            switch output {
            case .send(let message, _): sent = message
            case .store(_, let ticket?): proxy.stored(ticket, succeeded: units & 1 == 0, at: now)
            case .resolve(let question, _): proxy.resolved(question, with: .addresses([.loopback]), at: now)
            case .connect(let question, _): proxy.connected(question, flow: units & 1 == 0 ? flows[3] : nil, at: now)
            default: break
            }
        }
    }
}

private func filled(_ text: [UInt8], from message: [UInt8]) -> [UInt8] {
    let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:", "Record-Route:"]
    let headers = message.split(separator: ASCII.lineFeed).filter { line in
        names.contains { line.starts(with: $0.utf8) }
    }
    var out: [UInt8] = []
    for byte in text {
        if byte == ASCII.percent {
            for line in headers { out += line + [ASCII.lineFeed] }
        } else {
            out.append(byte)
        }
    }
    return out
}
