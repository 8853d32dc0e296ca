/// A set of bytes, as bits: the character classes of RFC 3261 §25.1. Passing one on costs less code than a closure, of which
/// every use would be a loop of its own.
struct ByteSet {
    /// The bytes below 0x40, and those below 0x80.
    private let low, high: UInt64
    /// Whether all bytes from 0x80 on are in it.
    private let hasUpper: Bool

    private init(_ low: UInt64, _ high: UInt64, hasUpper: Bool = false) {
        (self.low, self.high, self.hasUpper) = (low, high, hasUpper)
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return hasUpper }
        return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 == 1
    }

    /// token: alphanumerics and - . ! % * _ + ` ' ~.
    static var token: ByteSet { ByteSet(0x03ff_6ca2_0000_0000, 0x47ff_ffff_87ff_fffe) }
    /// `word` of Call-ID, token characters and ( ) < > : \ " / [ ] ? { }; and the `@` between two.
    static var callID: ByteSet { ByteSet(0xd7ff_efa6_0000_0000, 0x6fff_ffff_bfff_ffff) }
    /// 0 to 9.
    static var digit: ByteSet { ByteSet(0x03ff_0000_0000_0000, 0x0000_0000_0000_0000) }
    /// A to Z and a to z.
    static var letter: ByteSet { ByteSet(0x0000_0000_0000_0000, 0x07ff_fffe_07ff_fffe) }
    /// A host name's letters, digits, hyphen and dot; underscores too, which names of real networks contain against
    /// the grammar.
    static var hostName: ByteSet { ByteSet(0x03ff_6000_0000_0000, 0x07ff_fffe_87ff_fffe) }
    /// A URI scheme's alphanumerics and + - ..
    static var scheme: ByteSet { ByteSet(0x03ff_6800_0000_0000, 0x07ff_fffe_07ff_fffe) }
    /// unreserved (alphanumerics and - _ . ! ~ * ' ( )) and user-unreserved: & = + $ , ; ? /.
    static var user: ByteSet { ByteSet(0xabff_ffd2_0000_0000, 0x47ff_fffe_87ff_fffe) }
    /// Headers of a URI: unreserved and hnv-unreserved ([ ] / ? : + $) with escapes, joined by = and &.
    static var uriHeaders: ByteSet { ByteSet(0xa7ff_eff2_0000_0000, 0x47ff_fffe_afff_fffe) }
    /// paramchar and escapes: token characters and [ ] / : & + $ ( ).
    static var uriParameter: ByteSet { ByteSet(0x07ff_eff2_0000_0000, 0x47ff_ffff_afff_fffe) }
    /// A parameter's value in a header: also the bytes of hosts and addresses (`received=[2001:db8::1]`, and without
    /// brackets as RFC 5118 §4.5 asks).
    static var headerParameter: ByteSet { ByteSet(0xa7ff_effa_0000_0000, 0x47ff_ffff_afff_ffff, hasUpper: true) }
    /// RFC 3966 digits: hexadecimal ones, * # and the visual separators - . ( ), after a +.
    static var telephone: ByteSet { ByteSet(0x03ff_6f08_0000_0000, 0x0000_007e_0000_007e) }
    /// What follows the colon of another URI: all visible but < > ".
    static var opaque: ByteSet { ByteSet(0xafff_fffa_0000_0000, 0x7fff_ffff_ffff_ffff) }
    /// The same without < and > around it: no ; , ? either.
    static var bareOpaque: ByteSet { ByteSet(0x27ff_effa_0000_0000, 0x7fff_ffff_ffff_ffff) }
    /// Visible bytes but , and ".
    static var authValue: ByteSet { ByteSet(0xffff_effa_0000_0000, 0x7fff_ffff_ffff_ffff) }
    /// All but >.
    static var notGreaterThan: ByteSet { ByteSet(0xbfff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, hasUpper: true) }
    /// All but ].
    static var notBracket: ByteSet { ByteSet(0xffff_ffff_ffff_ffff, 0xffff_ffff_dfff_ffff, hasUpper: true) }
    /// All but what ends a parameter of Via: ; , space and tab.
    static var viaParameter: ByteSet { ByteSet(0xf7ff_effe_ffff_fdff, 0xffff_ffff_ffff_ffff, hasUpper: true) }
}
