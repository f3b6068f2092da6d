/// One kind of misfortune.
struct Scenario: Sendable {
  let name: String
  let about: String
  let play: @Sendable (Run) throws -> Void

  static let all: [Scenario] = kills + screens + traces + worlds
}
