import BridgeOAuth
import NIOCore

/// A refresh, step by step as its ``RefreshFlight`` says. One that has begun is carried to its end, whatever becomes of the desk:
/// its answer may be the only good token there is, and nobody else gives the lock back.
extension OAuthDesk {
    func fly(_ action: RefreshFlight.Action) {
        switch action {
        case .lock:
            self.files.run(on: self.loop) { try $0.take() }.assumeIsolated().whenComplete { result in
                self.advance { flight, _ in
                    switch result {
                    case .success(let holder): flight.locked(holder: holder)
                    case .failure(let error): flight.lockFailed("\(error)")
                    }
                }
            }
        case .read:
            self.files.run(on: self.loop) { try $0.read() }.assumeIsolated().whenComplete { result in
                self.advance { flight, now in
                    switch result {
                    case .success(let there):
                        flight.read(there.record, intent: there.intent, answer: there.answer, now: now)
                    case .failure(let error): flight.readFailed("\(error)")
                    }
                }
            }
        case .writeIntent(let intent): self.write { try $0.write(intent) }
        case .writeAnswer(let answer): self.write { try $0.write(answer) }
        case .commit(let record): self.write { try $0.commit(record) }
        case .clear: self.write { try $0.clear() }
        case .send(let request): self.http.ask(request) { answer in self.advance { $0.answered(answer, now: $1) } }
        case .end(let outcome): self.landed(outcome)
        }
    }

    private func write(_ body: @escaping @Sendable (OAuthFiles) throws -> Void) {
        self.files.run(on: self.loop, body).assumeIsolated().whenComplete { result in
            self.advance { flight, _ in
                switch result {
                case .success: flight.written(nil)
                case .failure(let error): flight.written("\(error)")
                }
            }
        }
    }

    private func advance(_ body: (inout RefreshFlight, Moment) -> RefreshFlight.Action) {
        guard var flight = self.flight else { return }
        let action = body(&flight, self.now())
        self.flight = flight
        self.fly(action)
    }

    private func landed(_ outcome: RefreshFlight.Outcome) {
        self.log(outcome)
        self.files.run(on: self.loop) { $0.release() }.assumeIsolated().whenComplete { _ in
            self.flight = nil
            let before = self.keeper?.record.generation
            let action = self.keeper?.flew(outcome, now: self.now(), draw: .random(in: 0..<1)) ?? .none
            self.perform(action)
            if self.isEnded { self.save() }
            self.writeOn()
            if self.keeper?.record.generation != before, !self.isEnded { self.delegate?.deskHasTokens(self) }
        }
    }
}
