import BridgeCore
import BridgeMCP
import BridgeTesting
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Which revision is proposed") struct ProposalsTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000_000)
    private static let plain = JSONText(literal: #"{"code":-32602,"message":"Unsupported protocol version"}"#)

    private func supporting(_ names: [String]) throws -> JSONText {
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        let text = #"{"code":-32602,"message":"no","data":{"supported":[\#(list)],"requested":"2025-11-25"}}"#
        return try JSONText(validating: ByteBuffer(string: text))
    }

    @Test func `without a word of the server, older ones in turn, then none`() {
        var proposals = Proposals()
        let first = proposals.begin(now: self.t0)
        #expect(first == .v2025_11_25)
        let answers = (0..<4).map { _ in proposals.refused(Self.plain) }
        #expect(answers == [.propose(.v2025_06_18), .propose(.v2025_03_26), .propose(.v2024_11_05), .giveUp])
        proposals.failed()
        let again = proposals.begin(now: self.t0)
        #expect(again == .v2025_11_25, "the next start begins anew")
    }

    @Test(arguments: [
        (["2025-06-18"], ProtocolRevision.v2025_06_18), (["2024-11-05", "2025-03-26"], .v2025_03_26),
        (["2024-10-07"], .v2024_11_05), (["1999-01-01", "2024-11-05", "x"], .v2024_11_05),
    ])
    func `the newest common one of those that the server names, once`(names: [String], wanted: ProtocolRevision) throws
    {
        var proposals = Proposals()
        _ = proposals.begin(now: self.t0)
        let first = proposals.refused(try self.supporting(names))
        let second = proposals.refused(try self.supporting(names))
        #expect(first == .propose(wanted))
        #expect(second == .giveUp)
    }

    @Test func `none where the server speaks only others, or does not know the method`() throws {
        for error in [
            try self.supporting(["2026-07-28", "x"]), try self.supporting([]),
            JSONText(literal: #"{"code":-32601,"message":"m"}"#), JSONText(literal: #"{"code":-32700,"message":"m"}"#),
        ] {
            var proposals = Proposals()
            _ = proposals.begin(now: self.t0)
            let answer = proposals.refused(error)
            #expect(answer == .giveUp)
            let next = proposals.begin(now: self.t0)
            #expect(next == .newest)
        }
    }

    @Test func `what was taken is proposed first from then on, for a week`() {
        var proposals = Proposals()
        _ = proposals.begin(now: self.t0)
        _ = proposals.refused(Self.plain)
        proposals.accepted(now: self.t0)
        #expect(proposals.known == .v2025_06_18)
        let nextDay = proposals.begin(now: self.t0 + .hours(24))
        #expect(nextDay == .v2025_06_18)
        proposals.accepted(now: self.t0 + .hours(24))
        let nextWeek = proposals.begin(now: self.t0 + .hours(7 * 24))
        #expect(nextWeek == .newest, "taking it again does not prolong that")
        proposals.accepted(now: self.t0 + .hours(7 * 24))
        #expect(proposals.known == nil)
    }

    @Test func `what fails is forgotten, and a server that ends after its refusal is asked for the next one`() {
        var proposals = Proposals()
        proposals.told(.v2025_03_26, for: .hours(1), now: self.t0)
        let told = proposals.begin(now: self.t0)
        #expect(told == .v2025_03_26)
        proposals.failed()
        let fresh = proposals.begin(now: self.t0)
        #expect(fresh == .newest)
        _ = proposals.refused(Self.plain)
        proposals.failed()
        let next = proposals.begin(now: self.t0)
        #expect(next == .v2025_06_18)
        _ = proposals.refused(Self.plain)
        proposals.failed()
        let last = proposals.begin(now: self.t0)
        #expect(last == .v2025_03_26)
    }

    @Test func `a told one that is refused gives way to the newest, and one that has run out is not used`() {
        var proposals = Proposals()
        proposals.told(.v2024_11_05, for: .hours(1), now: self.t0)
        _ = proposals.begin(now: self.t0)
        let answer = proposals.refused(Self.plain)
        #expect(answer == .propose(.newest))
        var late = Proposals()
        late.told(.v2024_11_05, for: .hours(1), now: self.t0)
        let first = late.begin(now: self.t0 + .hours(2))
        #expect(first == .newest)
        late.accepted(now: self.t0)
        late.told(.v2024_11_05, for: .hours(1), now: self.t0)
        #expect(late.known == nil, "what is known better is not told")
    }

    /// Any server that takes some revision gets it within one start, and each is proposed once at most.
    @Test func `whatever a server takes and however it refuses, it is found in one start`() throws {
        var random = SeededRandom(seed: 10)
        for _ in 0..<1_000 {
            let taken = Set(ProtocolRevision.allCases.filter { _ in Bool.random(using: &random) })
            let names = Bool.random(using: &random) ? taken.map(\.name).shuffled(using: &random) + ["2199-01-01"] : nil
            var proposals = Proposals()
            if Bool.random(using: &random), let told = ProtocolRevision.allCases.randomElement(using: &random) {
                proposals.told(told, for: .hours(9), now: self.t0)
            }
            var proposed = [proposals.begin(now: self.t0)]
            var isOver = false
            while !isOver, let last = proposed.last, !taken.contains(last) {
                let code = [-32602, -32600, -32603, 0, 400].randomElement(using: &random) ?? 0
                let error =
                    try names.map(self.supporting) ?? JSONText(validating: ByteBuffer(string: #"{"code":\#(code)}"#))
                switch proposals.refused(error) {
                case .propose(let next): proposed.append(next)
                case .giveUp: isOver = true
                }
            }
            #expect(isOver == taken.isEmpty)
            #expect(Set(proposed).count == proposed.count)
        }
    }
}
