import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct ClusteringTests {
  @Test(arguments: [nil, 64]) func kMeansFindsPlantedClusters(batchSize: Int?) throws {
    let (points, owners) = plantedPoints(40, clusters: 3)
    let result = try KMeans(clusters: 3, batchSize: batchSize, seed: 5)(points)
    #expect(agree(result.assignments, owners))
  }

  @Test func kMeansRepeatsItselfForASeed() throws {
    let (points, _) = plantedPoints(20, clusters: 3)
    let means = KMeans(clusters: 5, restarts: 2, seed: 9)
    let (a, b) = (try means(points), try means(points))
    #expect(a.assignments == b.assignments && a.centroids.scalars == b.centroids.scalars && a.inertia == b.inertia)
  }

  @Test func kMeansOfEqualPointsLeavesNothingUndone() throws {
    let result = try KMeans(clusters: 3)(.ones([5, 2]))
    #expect(result.inertia == 0 && result.assignments.count == 5)
  }

  @Test func fewerPointsThanClustersIsAnError() {
    #expect(throws: ExperimentError.self) { try KMeans(clusters: 4)(.zeros([3, 2])) }
  }

  @Test func silhouetteIsThatOfTheDefinition() {
    // On a line at 0, 1 and 10: (a, b) = (1, 10), (1, 9), alone.
    let silhouette = Silhouette(of: Tensor([0, 1, 10], shape: [3, 1]))
    #expect(abs(silhouette([0, 0, 1]) - (0.9 + 8.0 / 9) / 3) < 1e-6)
    #expect(silhouette([0, 0, 0]) == 0)
  }

  @Test func silhouetteLooksAtASampleOnly() {
    let (points, _) = plantedPoints(40, clusters: 2)
    #expect(Silhouette(of: points, limit: 30).sample.count == 30)
  }

  @Test func principalComponentsFindTheDirectionOfVariance() throws {
    // Along (3, 4), without noise.
    let points = Tensor((0..<10).flatMap { [Scalar($0) * 3, Scalar($0) * 4] }, shape: [10, 2])
    let found = try PrincipalComponents(of: points, count: 2, standardizing: false)
    #expect(found.components.shape == [1, 2])
    #expect(abs(abs(found.components.scalars[0]) - 0.6) < 1e-4 && abs(found.variances[0] - 25 * 8.25) < 0.01)
    #expect(abs(abs(found(points).scalars[0]) - 22.5) < 1e-3)
  }

  @Test func principalComponentsRefuseWhatIsNoNumber() {
    #expect(throws: ExperimentError.self) {
      try PrincipalComponents(of: Tensor([1, .nan, 2, 3], shape: [2, 2]), count: 1)
    }
  }

  @Test(arguments: [IntraclassClustering.Count.silhouette(2...8), .elbow(1...6), .fixed(3)])
  func classesAreDividedAsPlanted(count: IntraclassClustering.Count) throws {
    let (points, owners) = plantedPoints(60, clusters: 3)
    let clusters = try IntraclassClustering(clustersPerClass: count)(points, labels: owners.map { _ in 0 })
    #expect(clusters.classes[0].clusters.map(\.count) == [60, 60, 60])
    for members in clusters.classes[0].clusters { #expect(Set(members.map { owners[$0] }).count == 1) }
  }

  @Test func aClassWithoutStructureIsOneCluster() throws {
    var generator = SplittableGenerator(seed: 4)
    let noise = (0..<200 * 40).map { _ in Scalar.random(in: -1...1, using: &generator) }
    let clusters = try IntraclassClustering()(
      Tensor(noise, shape: [200, 40]), labels: [Int](repeating: 0, count: 200))
    #expect(clusters.count == 1)
    #expect(clusters.classes[0].curve.count == 7)
  }

  @Test func aSmallClusterJoinsItsNeighbour() throws {
    let (points, owners) = plantedPoints(40, clusters: 3)
    // Five images of the third cluster are too few to stand alone.
    let kept = owners.indices.filter { owners[$0] < 2 } + owners.indices.filter { owners[$0] == 2 }.prefix(5)
    let clusters = try IntraclassClustering(clustersPerClass: .fixed(3))(
      points.gather(kept), labels: kept.map { _ in 0 })
    #expect(clusters.count == 2)
    #expect(clusters.classes[0].clusters.reduce(0) { $0 + $1.count } == 85)
  }

  @Test func aClassWithoutImagesIsNamed() {
    for labels in [[1, 1, 1], [0, 2, 2]] {
      let error = #expect(throws: ExperimentError.self) {
        try IntraclassClustering(clustersPerClass: .fixed(8))(.zeros([3, 4]), labels: labels, names: ["cat", "cat"])
      }
      #expect(error?.description.contains("class 'cat' has no images") == true, "\(error!)")
    }
    let none = #expect(throws: ExperimentError.self) {
      try IntraclassClustering(clustersPerClass: .fixed(0))(.zeros([3, 4]), labels: [0, 0, 0])
    }
    #expect(none?.description.contains("there must be at least 1") == true)
  }
}
