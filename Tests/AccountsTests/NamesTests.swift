import Accounts
import Testing

@Suite struct NamesTests {
    @Test(arguments: [
        ("anna", "anna"), ("Anna", "anna"), (" bob ", "bob"), ("a", "a"), ("x_1.y-2", "x_1.y-2"),
        ("abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012345"),
    ])
    func `user names are what a SIP address can hold`(typed: String, name: String) throws {
        #expect(try UserName(parsing: typed).description == name)
        #expect(try UserName(parsing: Array(typed.utf8)).bytes == Array(name.utf8))
    }

    @Test(arguments: [
        "", " ", "1anna", ".anna", "-a", "an na", "anna@home", "änna", "a/b", "a%41", "a\u{0}", "a\n", "ａnna", "a;b",
        "abcdefghijklmnopqrstuvwxyz0123456",
    ])
    func `other user names are refused`(typed: String) {
        #expect(throws: AccountError.badUserName) { try UserName(parsing: typed) }
    }

    @Test func `bytes that are no text are no user name`() {
        #expect(throws: AccountError.badUserName) { try UserName(parsing: [0x61, 0xff, 0xfe] as [UInt8]) }
    }

    @Test(arguments: [
        ("Anna", "Anna"), ("  Anna Müller ", "Anna Müller"), ("Mu\u{308}ller", "M\u{fc}ller"), ("李小龍", "李小龍"),
        ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"), ("👩‍👩‍👧 Home", "👩‍👩‍👧 Home"),
        (String(repeating: "é", count: 64), String(repeating: "é", count: 64)),
    ])
    func `full names are one line in form C`(typed: String, name: String) throws {
        let parsed = try FullName(parsing: typed).description
        #expect(Array(parsed.utf8) == Array(name.utf8))
    }

    @Test(arguments: [
        "", "   ", "a\nb", "a\u{0}b", "a\u{7f}", "a\u{2028}b", "a\u{202e}b", "\u{2066}a", "a\u{feff}",
        String(repeating: "a", count: 65), "a" + String(repeating: "\u{301}", count: 600),
    ])
    func `full names that break lists or fool the eye are refused`(typed: String) {
        #expect(throws: AccountError.badFullName) { try FullName(parsing: typed) }
    }

    @Test func `labels are shorter`() throws {
        #expect(try PhoneLabel(parsing: " Küche ").description == "Küche")
        #expect(throws: AccountError.badLabel) { try PhoneLabel(parsing: String(repeating: "a", count: 41)) }
    }
}
