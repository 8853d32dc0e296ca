import Base
import SIP

/// Feeds any bytes to a controller with a person and a call in it: nothing may trap, and bounds must hold.
///
/// The bytes are cut into messages at zero bytes; a message's first byte chooses the flow it comes by. A byte 1 lets time
/// pass, 2 closes a stream.
package func fuzzCallControl(_ bytes: [UInt8]) {
    var configuration = CallController.Configuration(
        domain: [UInt8](ascii: "h.test"), secret: [UInt8](repeating: 1, count: 32))
    let local = TransportAddress(ip: .loopback, port: 5060)
    configuration.listeners = [
        .init(transport: .udp, id: 1, host: [UInt8](ascii: "127.0.0.1"), port: 5060, local: local)
    ]
    configuration.limits.transactions = 8
    configuration.limits.bindingsPerPerson = 4
    var now = Instant(nanoseconds: 1)
    var controller = CallController(configuration: configuration, random: RandomSource(seed: 1), at: now)
    controller.load(
        accounts: [SIPAccount(user: [UInt8](ascii: "a")), SIPAccount(user: [UInt8](ascii: "b"))], bindings: [], at: now)
    let flows = [SIPTransport.wss, .wss, .udp, .tcp].enumerated().map { number, transport in
        Flow(
            transport: transport, id: UInt64(number + 1), remote: TransportAddress(ip: .loopback, port: 9), local: local
        )
    }
    controller.flowOpened(flows[0], user: [UInt8](ascii: "a"), at: now)
    controller.flowOpened(flows[1], user: [UInt8](ascii: "b"), at: now)
    for part in bytes.split(separator: 0) {
        guard let choice = part.first else { continue }
        let flow = flows[Int(choice & 3)]
        switch choice {
        case 1:
            now += .seconds(30)
            controller.handleTimeout(at: now)
        case 2:
            controller.flowClosed(flow, at: now)
        default:
            controller.receive(Array(part.dropFirst()), on: flow, at: now)
        }
        while let output = controller.pollOutput() {
            if case .store(_, let ticket?) = output { controller.stored(ticket, succeeded: choice & 4 == 0, at: now) }
        }
        precondition(controller.transactionCount <= 8 && controller.bindingCount <= 8, "a bound was passed")
    }
}
