import BridgeCore
import BridgeMCP

/// A kind of content that tools and prompts hold.
enum DemoContent: String, CaseIterable {
    case text, image, audio, resource
    case link = "resource_link"

    /// The revision that brought it.
    private var since: ProtocolRevision {
        switch self {
        case .text, .image, .resource: .v2024_11_05
        case .audio: .v2025_03_26
        case .link: .v2025_06_18
        }
    }

    static func kinds(for revision: ProtocolRevision) -> [DemoContent] { Self.allCases.filter { $0.since <= revision } }

    /// A picture of one pixel, and a sound without a sample.
    static let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    private static let wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

    /// Writes the members of one content block.
    func write(to block: inout JSONWriter) {
        block.member("type", self.rawValue)
        switch self {
        case .text:
            block.member("text", "This is text.")
            block.memberObject("annotations") {
                $0.member("audience", ["user", "assistant"])
                $0.member("priority", 0.5)
            }
        case .image:
            block.member("data", Self.png)
            block.member("mimeType", "image/png")
        case .audio:
            block.member("data", Self.wav)
            block.member("mimeType", "audio/wav")
        case .resource:
            block.memberObject("resource") {
                $0.member("uri", "demo://embedded")
                $0.member("mimeType", "text/plain")
                $0.member("text", "This is a resource within a result.")
            }
        case .link:
            block.member("uri", "demo://handed-out")
            block.member("name", "handed-out")
            block.member("description", "A resource that no list has.")
            block.member("mimeType", "text/plain")
        }
    }
}
