import Testing
@testable import UserAgent
