import Base
import STUN

/// Reads a message that must be one.
func reading<Result>(_ bytes: [UInt8], _ body: (STUNMessage) throws -> Result) throws -> Result {
    try bytes.withUnsafeBytes { try body(STUNMessage(parsing: $0)) }
}

/// Writes one message.
func writing(
    _ type: STUNType, _ transactionID: TransactionID, room: Int = 2048, _ body: (inout STUNWriter) -> Void
) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0xee, count: room)
    let count = buffer.withUnsafeMutableBytes { target in
        var writer = STUNWriter(type, transactionID, into: target)
        body(&writer)
        return writer.finish()
    }
    return count.map { Array(buffer[..<$0]) }
}

let someTransaction = TransactionID(high: 0xb7e7_a701, low: 0xbc34_d686_fa87_dfae)

func address(_ text: String, _ port: UInt16) -> TransportAddress {
    TransportAddress(ip: IPAddress(parsing: text.utf8) ?? .loopback, port: port)
}
