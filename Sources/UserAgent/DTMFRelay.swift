import Base
import SIP

/// One key as `Signal=5` and `Duration=160`: the body that nearly all phones and gateways understand, though no RFC has it.
struct DTMFRelay: Equatable, Sendable {
    static var contentType: [UInt8] { [UInt8](ascii: "application/dtmf-relay") }
    /// The longest press that is believed.
    static let longest = 6000

    let signal: UInt8
    let milliseconds: Int

    init(signal: UInt8, milliseconds: Int) { (self.signal, self.milliseconds) = (signal, milliseconds) }

    /// Reads the first byte after `Signal=` and the digits after `Duration=`, in any case, with or without spaces.
    ///
    /// - Returns: nil when the type is another, or no known key is named. `application/dtmf` is the key alone.
    init?(contentType: [UInt8], body: ArraySlice<UInt8>) {
        let isKeyAlone = contentType == [UInt8](ascii: "application/dtmf")
        guard isKeyAlone || contentType == Self.contentType else { return nil }
        var (signal, milliseconds) = (UInt8(0), 0)
        // The first letter of the line's name tells which of the two it is.
        var (name, isValue) = (isKeyAlone ? UInt8(ascii: "s") : 0, isKeyAlone)
        for byte in body where byte != ASCII.space {
            if byte < ASCII.space {
                (name, isValue) = (0, false)
            } else if !isValue {
                if byte == ASCII.equals { isValue = true } else if name == 0 { name = ASCII.lowercased(byte) }
            } else if name == UInt8(ascii: "s"), signal == 0 {
                signal = ASCII.isLetter(byte) ? byte & 0xdf : byte
            } else if name == UInt8(ascii: "d"), ASCII.isDigit(byte) {
                milliseconds = min(milliseconds * 10 + Int(byte - 0x30), Self.longest)
            }
        }
        guard Self.isSignal(signal) else { return nil }
        self.init(signal: signal, milliseconds: milliseconds == 0 ? 250 : milliseconds)
    }

    static func isSignal(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || byte == 0x2a || byte == 0x23 || (byte & 0xdf) &- 0x41 < 4
    }

    var bytes: [UInt8] {
        var out = [UInt8](ascii: "Signal=")
        out.append(signal)
        out.append("\r\nDuration=")
        out.appendDecimal(max(0, milliseconds))
        out.append("\r\n")
        return out
    }
}
