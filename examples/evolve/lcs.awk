# The length of the longest common subsequence of two texts.
function larger(p, q) {
    return p > q ? p : q
}

function letter(t, i) {
    return substr(t, i, 1)
}

function text(seed, n,   i, t) {
    for (i = 0; i < n; i++) {
        seed = (seed * 1103 + 12345) % 65536
        t = t sprintf("%c", 97 + int(seed / 8) % 20)
    }
    return t
}

BEGIN {
    n = 700
    a = text(1, n)
    b = text(2, n)

    for (i = 0; i <= n; i++)
        for (j = 0; j <= n; j++)
            best[i, j] = 0

    for (i = 1; i <= n; i++) {
        for (j = 1; j <= n; j++) {
            if (letter(a, i) == letter(b, j))
                best[i, j] = best[i - 1, j - 1] + 1
            else
                best[i, j] = larger(best[i - 1, j], best[i, j - 1])
        }
    }

    answer = best[n, n]

    # What another program found for these texts.
    if (answer != 234) {
        print "wrong: " answer
        exit 1
    }
    print "lcs " answer
}
