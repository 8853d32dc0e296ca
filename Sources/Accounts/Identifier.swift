import Base

/// What one phone, session or link is called in lists and URLs. No secret.
package struct Identifier<Subject>: Hashable, Sendable, CustomStringConvertible {
    /// 60 random bits: no two alike in any household.
    private static var length: Int { 12 }

    package let description: String

    package init(_ text: String) { description = text }

    package init(random: inout RandomSource) {
        description = String(decoding: random.token(length: Self.length), as: UTF8.self)
    }
}
