/// Why something about people and their accounts was refused.
///
/// `code` is for programs and never changes; `message` is for the person, and says what to do.
package enum AccountError: Error, Hashable, Sendable {
    case badUserName
    case badFullName
    case badLabel
    case badKeys(String)
    case badSecret(String)
    case nameTaken(UserName)
    case personUnknown(UserName)
    case lastOwner(UserName)
    case notJoined(UserName)
    case linkUnknown
    case linkUsed
    case linkExpired
    case linkNeedsName
    case linkHasName
    case alreadyInvited(UserName)
    case tooManyLinks
    case tooManyPhones
    case labelTaken(String)
    case phoneUnknown
    case sessionUnknown

    /// The stable word for programs.
    package var code: String {
        switch self {
        case .badUserName: "bad-user-name"
        case .badFullName: "bad-full-name"
        case .badLabel: "bad-label"
        case .badKeys: "bad-keys"
        case .badSecret: "bad-secret"
        case .nameTaken: "name-taken"
        case .personUnknown: "person-unknown"
        case .lastOwner: "last-owner"
        case .notJoined: "not-joined"
        case .linkUnknown: "link-unknown"
        case .linkUsed: "link-used"
        case .linkExpired: "link-expired"
        case .linkNeedsName: "link-needs-name"
        case .linkHasName: "link-has-name"
        case .alreadyInvited: "already-invited"
        case .tooManyLinks: "too-many-links"
        case .tooManyPhones: "too-many-phones"
        case .labelTaken: "label-taken"
        case .phoneUnknown: "phone-unknown"
        case .sessionUnknown: "session-unknown"
        }
    }

    /// What happened and what to do, in words.
    package var message: String {
        switch self {
        case .badUserName:
            "A user name has 1 to \(UserName.maximumLength) letters a-z, digits, dots, hyphens or underscores, "
                + "and starts with a letter. Choose another one."
        case .badFullName:
            "A full name has 1 to \(FullName.maximumCharacters) characters on one line. Choose a shorter one."
        case .badLabel:
            "A label has 1 to \(PhoneLabel.maximumCharacters) characters on one line, such as “Kitchen”."
        case .badKeys(let what): "The keys sent do not fit: \(what). Reload the page and try again."
        case .badSecret(let what): "What was sent does not fit: \(what). Reload the page and try again."
        case .nameTaken(let name): "The user name “\(name)” is taken. Choose another one."
        case .personUnknown(let name): "Nobody here has the user name “\(name)”. Check the spelling."
        case .lastOwner(let name):
            "“\(name)” is the only owner. Make somebody else an owner first, so that the house is not left without one."
        case .notJoined(let name):
            "“\(name)” has telephones alone and has not joined in a browser yet. Make a link for her first."
        case .linkUnknown: "This link is not known here. Check that it was copied whole, or ask for a new one."
        case .linkUsed: "This link has been used. Sign in with your password, or ask for a new link."
        case .linkExpired: "This link is too old: links work for 7 days. Ask for a new one."
        case .linkNeedsName: "Choose a user name and a full name: this link leaves both to you."
        case .linkHasName: "This link is for one person whose user name is already chosen. Leave the user name out."
        case .alreadyInvited(let name):
            "There is an open link for “\(name)” already. Use it, or delete it before making another."
        case .tooManyLinks:
            "There are \(JoinLink.maximumOpen) open links already. Delete those nobody needs."
        case .tooManyPhones:
            "A person can have \(Phone.maximumPerPerson) phones. Remove one that is no longer used."
        case .labelTaken(let label): "You have a phone called “\(label)” already. Choose another label."
        case .phoneUnknown: "There is no such phone. It may have been removed already."
        case .sessionUnknown: "There is no such session. It may have ended already."
        }
    }
}
