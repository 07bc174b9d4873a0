from few_images import accuracy, draw, situation

from models.training.strategies.few_shot import FewShot
from models.training.strategies.self_training import SelfTraining


def test_it_is_for_few_labels_beside_images_without():
    others = draw(40, 5).embeddings
    reason = SelfTraining().reason(situation(8, 4, unlabelled=others))
    assert reason.startswith("40 images without labels beside 3 labelled images")
    assert not SelfTraining().reason(situation(8, 4))
    assert not SelfTraining().reason(situation(8, 4, unlabelled=others[:0]))
    assert not SelfTraining().reason(situation(80, 20, unlabelled=others))


def test_images_without_labels_teach_it_more():
    given = situation(20, 4, unlabelled=draw(400, 5, noise=0.9).embeddings, noise=0.9)
    few, self_trained = FewShot().arm(given), SelfTraining().arm(given)
    asked = draw(400, 3, noise=0.9)
    assert accuracy(self_trained.head, asked) > accuracy(few.head, asked) + 0.05
    assert "24 labelled images and to 318" in self_trained.words


def test_images_of_one_class_alone_do_not_swallow_the_others():
    ones = draw(400, 5)
    given = situation(20, 4, unlabelled=ones.embeddings[ones.classes == 1])
    asked = draw(400, 3)
    assert accuracy(SelfTraining().arm(given).head, asked) > 0.7
