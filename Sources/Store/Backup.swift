import GRDB

extension HouseholdStore {
    /// Writes a consistent copy of the database into a new file, also while others write.
    package func backup(to path: String) async throws {
        let writer = self.writer
        do {
            try await writer.vacuum(into: path)
        } catch {
            throw Self.understandable(error)
        }
    }
}
