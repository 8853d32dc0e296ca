import Base

/// The configuration of an H.264 format: what must be equal on both sides, and the level, which need not (RFC 6184 §8.2.2).
struct H264Parameters: Hashable, Sendable {
    /// RFC 6184 §8.1 table 5: one profile has several spellings.
    enum Profile: Hashable, Sendable {
        case constrainedBaseline, baseline, main, constrainedHigh, high
        case other(UInt8, UInt8)

        init(indication: UInt8, constraints: UInt8) {
            switch (indication, constraints) {
            case (0x42, let bits) where bits & 0x4f == 0x40, (0x4d, let bits) where bits & 0x8f == 0x80,
                (0x58, let bits) where bits & 0xcf == 0xc0:
                self = .constrainedBaseline
            case (0x42, let bits) where bits & 0x4f == 0, (0x58, let bits) where bits & 0xcf == 0x80: self = .baseline
            case (0x4d, let bits) where bits & 0xaf == 0: self = .main
            case (0x64, 0x0c): self = .constrainedHigh
            case (0x64, 0): self = .high
            default: self = .other(indication, constraints)
            }
        }

        /// Phones write 42801F or 42001F and mean what every encoder makes: Baseline without arbitrary slice order, which is
        /// constrained Baseline. So the two count as one.
        func isCompatible(with other: Profile) -> Bool { unified == other.unified }
        private var unified: Profile { self == .baseline ? .constrainedBaseline : self }
    }

    /// profile_idc, profile-iop and level_idc of `profile-level-id`.
    var profileBytes: (UInt8, UInt8) { (indication, constraints) }
    private var indication: UInt8
    private var constraints: UInt8
    var level: UInt8
    /// 0: single NAL units; 1: also STAP-A and FU-A.
    var packetizationMode: Int
    var allowsAsymmetry: Bool

    var profile: Profile { Profile(indication: indication, constraints: constraints) }

    /// - Returns: nil when a parameter cannot be read, or for the interleaved mode 2, which we do not forward.
    ///
    /// Without `profile-level-id` constrained Baseline of level 3.1 is meant, as browsers take it; the RFC's level 1 would
    /// make a stamp of the picture.
    init?(_ parameters: FormatParameters) {
        (indication, constraints, level) = (0x42, 0xe0, 0x1f)
        if let text = parameters["profile-level-id"] {
            let nibbles = text.compactMap { ASCII.hexValue($0) }
            guard text.count == 6, nibbles.count == 6 else { return nil }
            indication = nibbles[0] << 4 | nibbles[1]
            constraints = nibbles[2] << 4 | nibbles[3]
            level = nibbles[4] << 4 | nibbles[5]
        }
        packetizationMode = 0
        if parameters["packetization-mode"] != nil {
            guard let mode = parameters.number("packetization-mode"), mode == 0 || mode == 1 else { return nil }
            packetizationMode = mode
        }
        allowsAsymmetry = parameters.number("level-asymmetry-allowed") == 1
    }

    func matches(_ other: H264Parameters) -> Bool {
        packetizationMode == other.packetizationMode && profile.isCompatible(with: other.profile)
    }

    /// The same in the spelling that every browser has: plain Baseline is offered to them as constrained.
    var forBrowser: H264Parameters {
        var copy = self
        if profile == .baseline { (copy.indication, copy.constraints) = (0x42, 0xe0) }
        return copy
    }

    /// What to answer to an offer of this configuration when the other leg's end has answered `other`: the offer's profile,
    /// and the level that end can take. Without asymmetry the level holds both ways, so it is the lower (§8.2.2).
    func answer(given other: H264Parameters) -> H264Parameters {
        var copy = self
        copy.allowsAsymmetry = allowsAsymmetry && other.allowsAsymmetry
        copy.level = copy.allowsAsymmetry ? other.level : min(level, other.level)
        return copy
    }

    /// The parameters with this configuration in them.
    func apply(to parameters: FormatParameters) -> FormatParameters {
        var result = parameters
        var text: [UInt8] = []
        text.appendHexadecimal([indication, constraints, level])
        result.set("profile-level-id", text)
        result.set("packetization-mode", [0x30 + UInt8(packetizationMode)])
        result.set("level-asymmetry-allowed", allowsAsymmetry ? [0x31] : nil)
        return result
    }
}
