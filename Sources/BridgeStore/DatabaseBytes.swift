import FoundationEssentials
import GRDB

/// A blob.
struct DatabaseBytes: DatabaseValueConvertible, Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var databaseValue: DatabaseValue { Data(self.bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> DatabaseBytes? {
        guard case .blob(let data) = value.storage else { return nil }
        return DatabaseBytes(Array(data))
    }
}
