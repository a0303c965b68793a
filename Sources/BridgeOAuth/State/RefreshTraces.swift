package import BridgeCore
import FoundationEssentials
package import NIOCore

/// What is put on the disk before a token endpoint is asked: that the refresh token of this generation may be used up from now
/// on.
package struct RefreshIntent: Sendable, Equatable {
    /// Of the tokens that are to be replaced.
    package var generation: Int
    package var began: Double

    package init(generation: Int, began: Double) {
        self.generation = generation
        self.began = began
    }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("generation", self.generation)
            $0.member("began", self.began)
        }
    }

    package init?(_ bytes: ByteBuffer) {
        guard let json = try? JSONText(validating: bytes), let generation = json.int("generation") else { return nil }
        self.init(generation: generation, began: json.double("began") ?? 0)
    }
}

/// What the token endpoint answered, as it came: on the disk before anybody looks at it.
package struct KeptAnswer: Sendable, Equatable {
    package var generation: Int
    package var reply: WebReply
    package var came: Double

    package init(generation: Int, reply: WebReply, came: Double) {
        self.generation = generation
        self.reply = reply
        self.came = came
    }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("generation", self.generation)
            $0.member("came", self.came)
            $0.member("status", self.reply.status)
            $0.memberArray("headers") { array in
                for header in self.reply.headers
                where ["date", "retry-after", "location"].contains(header.name.lowercased()) {
                    array.element([header.name, header.value])
                }
            }
            $0.member("length", self.reply.body.readableBytes)
            $0.member("body", Data(self.reply.body.readableBytesView).base64EncodedString())
        }
    }

    /// - Returns: nil where it is not whole.
    package init?(_ bytes: ByteBuffer) {
        guard let json = try? JSONText(validating: bytes), let generation = json.int("generation"),
            let status = json.int("status"), let text = json.string("body"), let body = Data(base64Encoded: text),
            json.int("length") == body.count
        else { return nil }
        let headers = json.objects("headers").compactMap { pair -> WebHeader? in
            var words: [String] = []
            pair.elements { pair[$0].string.map { words.append($0) } }
            return words.count == 2 ? WebHeader(words[0], words[1]) : nil
        }
        self.init(
            generation: generation, reply: WebReply(status: status, headers: headers, body: ByteBuffer(bytes: body)),
            came: json.double("came") ?? 0)
    }
}
