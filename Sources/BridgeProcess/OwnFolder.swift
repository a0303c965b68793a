package import Glibc

/// Whether a folder is one that only its user, or root, can have laid anything into.
package enum OwnFolder {
    package enum Problem: Hashable, Sendable, CustomStringConvertible {
        /// A link, or something else that may lead anywhere.
        case notAFolder(String)
        case belongs(String, to: uid_t)

        package var description: String {
            switch self {
            case .notAFolder(let path): "\(path) is not a folder"
            case .belongs(let path, let user): "\(path) belongs to user \(user)"
            }
        }
    }

    /// - Returns: nil also where there is nothing at this path: nobody can be met there.
    package static func problem(at path: String, user: uid_t) -> Problem? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFDIR else { return .notAFolder(path) }
        return status.st_uid == user || status.st_uid == 0 ? nil : .belongs(path, to: status.st_uid)
    }
}
