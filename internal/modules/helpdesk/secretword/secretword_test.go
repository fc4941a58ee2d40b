package secretword

import (
	"strings"
	"testing"
	"time"
)

func TestPasswordsInAMessageAreHidden(t *testing.T) {
	for _, test := range []struct{ text, secret string }{
		{"Mon identifiant est lmartin, mot de passe : Chaton2019", "Chaton2019"},
		{"mot de passe\u202f: soleil", "soleil"},
		{"MDP=azerty", "azerty"},
		{"mdp:Tr0ub4dor&3.", "Tr0ub4dor&3"},
		{"Le mot de passe de mon compte Moodle est Valmont!2026, mais il est refusé", "Valmont!2026"},
		{"mon mot de passe est bien Chaton2019 !", "Chaton2019"},
		{"mon mot de passe actuel c’est chat0nvert", "chat0nvert"},
		{"Mot de passe provisoire : \n  K8-fleur-mer", "K8-fleur-mer"},
		{"mot de passe : « quatre mots sans chiffres »", "quatre mots sans chiffres"},
		{"My password is Hunter2hunter.", "Hunter2hunter"},
		{"password: letmein", "letmein"},
		{"Password for my account: correct-horse", "correct-horse"},
		{"the password was \"four words of mine\" until today", "four words of mine"},
		{"pwd -> s3cr3t!", "s3cr3t!"},
		{"code PIN : 4831", "4831"},
		{"ma phrase secrète est: L’autocar97bleu", "L’autocar97bleu"},
		{"login lmartin / passwd = Été2026", "Été2026"},
	} {
		t.Run(test.text, func(t *testing.T) {
			masked, n := Mask(test.text)
			if n != 1 || strings.Contains(masked, test.secret) || !strings.Contains(masked, Hidden) {
				t.Errorf("found %d: %s", n, masked)
			}
		})
	}
}

func TestWhatOnlySpeaksOfPasswordsStays(t *testing.T) {
	for _, text := range []string{
		"J’ai oublié mon mot de passe.",
		"Mot de passe oublié : que faire ?",
		"Mon mot de passe est refusé depuis hier.",
		"mot de passe : refusé",
		"Mon mot de passe est expiré, et la page tourne.",
		"le mot de passe est le même que pour Moodle",
		"Le mot de passe était valable jusqu’au 12/11.",
		"password: wrong",
		"My password is not accepted any more.",
		"My password was changed yesterday.",
		"The password is rejected! What can I do?",
		"Mot de passe : ********",
		"password: https://ent.example.org/password",
		"The form says: “password required”.",
		"Comment changer le mot de passe de mon téléphone ?",
		"Je n’ai plus mon compas. Il s’est cassé : dommage",
		"L’épingle (pin) est tombée",
		"",
	} {
		t.Run(text, func(t *testing.T) {
			if masked, n := Mask(text); n != 0 || masked != text {
				t.Errorf("found %d: %s", n, masked)
			}
		})
	}
}

func TestEveryPasswordOfATextIsHiddenAndTheRestStays(t *testing.T) {
	masked, n := Mask("Bonjour,\nmdp : Chaton2019 puis mdp : Chaton2020.\nMerci !")
	if want := "Bonjour,\nmdp : " + Hidden + " puis mdp : " + Hidden + ".\nMerci !"; n != 2 || masked != want {
		t.Errorf("%d in %q", n, masked)
	}
}

func TestMaskingTwiceChangesNothing(t *testing.T) {
	once, _ := Mask("mot de passe : Chaton2019")
	if twice, n := Mask(once); n != 0 || twice != once {
		t.Errorf("%d in %q", n, twice)
	}
}

// A message may be long, and what it holds is chosen by strangers.
func TestAVeryLongMessageIsReadQuickly(t *testing.T) {
	text := strings.Repeat("mot de passe de mon compte ", 20000)
	if masked, n := Mask(text); n != 0 || masked != text {
		t.Errorf("found %d", n)
	}
}

func TestALongTextOfOpenedQuotationsIsReadAtOnce(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		Mask(strings.Repeat("pin:“aa ", 25_000))
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("a mail of 200 kB holds a worker up")
	}
}
