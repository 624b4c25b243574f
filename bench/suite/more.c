/* more.src in C, as kernels.c is kernels.src in C. */
#include <math.h>
#include <stdint.h>

typedef int64_t I;
typedef uint64_t U;
typedef uint8_t B;
#define R restrict

static inline I least(I a, I b) {
    return a < b ? a : b;
}

static inline I most(I a, I b) {
    return a > b ? a : b;
}

/* ---- Images ---- */

void convolve(const double *R image_, I n, I m, const double *R weights_, I wn, I wm,
              double *R out_, I on, I om) {
    (void)wn, (void)wm, (void)on, (void)om;
    const double(*image)[m] = (void *)image_, (*weights)[3] = (void *)weights_;
    double(*out)[m] = (void *)out_;
    for (I i = 1; i < n - 1; i++)
        for (I j = 1; j < m - 1; j++) {
            double s = 0.0;
            for (I u = 0; u < 3; u++)
                for (I v = 0; v < 3; v++)
                    s += weights[u][v] * image[i + u - 1][j + v - 1];
            out[i][j] = s;
        }
}

void box_filter(const double *R image_, I n, I m, double *R table_, I tn, I tm, double *R out_,
                I on, I om, I r) {
    (void)tn, (void)on, (void)om;
    const double(*image)[m] = (void *)image_;
    double(*table)[tm] = (void *)table_, (*out)[m] = (void *)out_;
    for (I i = 0; i < n; i++) {
        double row = 0.0;
        for (I j = 0; j < m; j++) {
            row += image[i][j];
            table[i + 1][j + 1] = table[i][j + 1] + row;
        }
    }
    for (I i = 0; i < n; i++) {
        I top = most(i - r, 0), bottom = least(i + r + 1, n);
        for (I j = 0; j < m; j++) {
            I left = most(j - r, 0), right = least(j + r + 1, m);
            double s = table[bottom][right] - table[top][right] - table[bottom][left] +
                       table[top][left];
            out[i][j] = s / (double)((bottom - top) * (right - left));
        }
    }
}

void median3(const B *R image_, I n, I m, B *R out_, I on, I om) {
    (void)on, (void)om;
    const B(*image)[m] = (void *)image_;
    B(*out)[m] = (void *)out_;
    B window[9];
    for (I i = 1; i < n - 1; i++)
        for (I j = 1; j < m - 1; j++) {
            I n = 0;
            for (I u = -1; u < 2; u++)
                for (I v = -1; v < 2; v++) {
                    B x = image[i + u][j + v];
                    I k = n;
                    while (k > 0 && window[k - 1] > x) {
                        window[k] = window[k - 1];
                        k--;
                    }
                    window[k] = x;
                    n++;
                }
            out[i][j] = window[4];
        }
}

void sobel(const double *R image_, I n, I m, double *R out_, I on, I om) {
    (void)on, (void)om;
    const double(*a)[m] = (void *)image_;
    double(*out)[m] = (void *)out_;
    for (I i = 1; i < n - 1; i++)
        for (I j = 1; j < m - 1; j++) {
            double gx = a[i - 1][j + 1] + 2.0 * a[i][j + 1] + a[i + 1][j + 1] -
                        a[i - 1][j - 1] - 2.0 * a[i][j - 1] - a[i + 1][j - 1];
            double gy = a[i + 1][j - 1] + 2.0 * a[i + 1][j] + a[i + 1][j + 1] -
                        a[i - 1][j - 1] - 2.0 * a[i - 1][j] - a[i - 1][j + 1];
            out[i][j] = sqrt(gx * gx + gy * gy);
        }
}

void resize(const double *R image_, I n, I m, double *R out_, I on, I om) {
    const double(*image)[m] = (void *)image_;
    double(*out)[om] = (void *)out_;
    for (I i = 0; i < on; i++) {
        double y = (double)(i * (n - 1)) / (double)on;
        I i0 = (I)y;
        double fy = y - (double)i0;
        for (I j = 0; j < om; j++) {
            double x = (double)(j * (m - 1)) / (double)om;
            I j0 = (I)x;
            double fx = x - (double)j0;
            double top = image[i0][j0] * (1.0 - fx) + image[i0][j0 + 1] * fx;
            double bottom = image[i0 + 1][j0] * (1.0 - fx) + image[i0 + 1][j0 + 1] * fx;
            out[i][j] = top * (1.0 - fy) + bottom * fy;
        }
    }
}

void equalise(const B *R image_, I n, I m, B *R out_, I on, I om) {
    (void)on, (void)om;
    const B(*image)[m] = (void *)image_;
    B(*out)[m] = (void *)out_;
    I counts[256] = {0}, below = 0;
    B table[256];
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++)
            counts[image[i][j]]++;
    for (I k = 0; k < 256; k++) {
        below += counts[k];
        table[k] = (B)(below * 255 / (n * m));
    }
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++)
            out[i][j] = table[image[i][j]];
}

/* ---- Sequences ---- */

I levenshtein(const B *R a, I n, const B *R b, I m, I *R row, I rn) {
    (void)rn;
    for (I j = 0; j < m + 1; j++)
        row[j] = j;
    for (I i = 0; i < n; i++) {
        I diagonal = row[0];
        row[0] = i + 1;
        for (I j = 0; j < m; j++) {
            I cost = a[i] == b[j] ? 0 : 1, above = row[j + 1];
            row[j + 1] = least(least(above + 1, row[j] + 1), diagonal + cost);
            diagonal = above;
        }
    }
    return row[m];
}

static inline double fewer(double a, double b) {
    return b < a ? b : a;
}

double dtw(const double *R x, I n, const double *R y, I m, double *R cost_, I cn, I cm) {
    (void)cn;
    double(*cost)[cm] = (void *)cost_;
    for (I i = 0; i < n + 1; i++)
        for (I j = 0; j < m + 1; j++)
            cost[i][j] = INFINITY;
    cost[0][0] = 0.0;
    for (I i = 1; i < n + 1; i++)
        for (I j = 1; j < m + 1; j++) {
            double d = fabs(x[i - 1] - y[j - 1]);
            cost[i][j] = d + fewer(cost[i - 1][j], fewer(cost[i][j - 1], cost[i - 1][j - 1]));
        }
    return cost[n][m];
}

I align(const B *R a, I n, const B *R b, I m, I *R score_, I sn, I sm) {
    (void)sn;
    I(*score)[sm] = (void *)score_, gap = -2;
    for (I i = 0; i < n + 1; i++)
        score[i][0] = gap * i;
    for (I j = 0; j < m + 1; j++)
        score[0][j] = gap * j;
    for (I i = 1; i < n + 1; i++)
        for (I j = 1; j < m + 1; j++) {
            I same = a[i - 1] == b[j - 1] ? 1 : -1, best = score[i - 1][j - 1] + same;
            if (score[i - 1][j] + gap > best) best = score[i - 1][j] + gap;
            if (score[i][j - 1] + gap > best) best = score[i][j - 1] + gap;
            score[i][j] = best;
        }
    return score[n][m];
}

I find_all(const B *R text, I n, const B *R word, I m) {
    I found = 0;
    for (I i = 0; i < n - m + 1; i++) {
        I k = 0;
        while (k < m && text[i + k] == word[k])
            k++;
        if (k == m) found++;
    }
    return found;
}

I run_lengths(const B *R data, I len, B *R values, I vn, I *R lengths, I ln) {
    (void)vn, (void)ln;
    I n = 0, i = 0;
    while (i < len) {
        I j = i + 1;
        while (j < len && data[j] == data[i])
            j++;
        values[n] = data[i];
        lengths[n] = j - i;
        n++;
        i = j;
    }
    return n;
}

I base64(const B *R data, I n, const B *R alphabet, I an, B *R out, I on) {
    (void)an, (void)on;
    I k = 0;
    for (I i = 0; i < n - 2; i += 3) {
        I v = (I)data[i] << 16 | (I)data[i + 1] << 8 | (I)data[i + 2];
        out[k] = alphabet[v >> 18];
        out[k + 1] = alphabet[v >> 12 & 63];
        out[k + 2] = alphabet[v >> 6 & 63];
        out[k + 3] = alphabet[v & 63];
        k += 4;
    }
    return k;
}

I parse_numbers(const B *R text, I len, I *R out, I on) {
    (void)on;
    I n = 0, value = 0, negative = 0;
    for (I i = 0; i < len; i++) {
        B c = text[i];
        if (c == 44 || c == 10) {
            out[n] = negative ? -value : value;
            n++;
            value = 0;
            negative = 0;
        } else if (c == 45) {
            negative = 1;
        } else {
            value = value * 10 + (c - 48);
        }
    }
    return n;
}

/* ---- Points and clusters ---- */

void kmeans_step(const double *R points_, I n, I d, const double *R centers_, I k, I cd,
                 I *R labels, I ln, double *R sums_, I sn, I sd, I *R counts, I kn) {
    (void)cd, (void)ln, (void)sn, (void)sd, (void)kn;
    const double(*points)[d] = (void *)points_, (*centers)[d] = (void *)centers_;
    double(*sums)[d] = (void *)sums_;
    for (I c = 0; c < k; c++) {
        counts[c] = 0;
        for (I t = 0; t < d; t++)
            sums[c][t] = 0.0;
    }
    for (I i = 0; i < n; i++) {
        double best = INFINITY;
        I label = 0;
        for (I c = 0; c < k; c++) {
            double s = 0.0;
            for (I t = 0; t < d; t++) {
                double diff = points[i][t] - centers[c][t];
                s += diff * diff;
            }
            if (s < best) {
                best = s;
                label = c;
            }
        }
        labels[i] = label;
        counts[label]++;
        for (I t = 0; t < d; t++)
            sums[label][t] += points[i][t];
    }
}

void pairwise(const double *R points_, I n, I d, double *R out_, I on, I om) {
    (void)on, (void)om;
    const double(*points)[d] = (void *)points_;
    double(*out)[n] = (void *)out_;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < n; j++) {
            double s = 0.0;
            for (I t = 0; t < d; t++) {
                double diff = points[i][t] - points[j][t];
                s += diff * diff;
            }
            out[i][j] = sqrt(s);
        }
}

static I find(I *parent, I x) {
    while (parent[x] != x) {
        parent[x] = parent[parent[x]];
        x = parent[x];
    }
    return x;
}

I union_find(I *R parent, I n, const I *R edges_, I m, I two) {
    (void)two;
    const I(*edges)[2] = (void *)edges_;
    I groups = n;
    for (I i = 0; i < n; i++)
        parent[i] = i;
    for (I e = 0; e < m; e++) {
        I a = find(parent, edges[e][0]), b = find(parent, edges[e][1]);
        if (a != b) {
            parent[a] = b;
            groups--;
        }
    }
    return groups;
}

/* ---- Linear algebra and series ---- */

void csr_matvec(const I *R starts, I sn, const I *R columns, I cn, const double *R values,
                I vn, const double *R x, I xn, double *R y, I n) {
    (void)sn, (void)cn, (void)vn, (void)xn;
    for (I i = 0; i < n; i++) {
        double s = 0.0;
        for (I k = starts[i]; k < starts[i + 1]; k++)
            s += values[k] * x[columns[k]];
        y[i] = s;
    }
}

void running_sum(const double *R x, I n, double *R out, I on) {
    (void)on;
    double s = 0.0;
    for (I i = 0; i < n; i++) {
        s += x[i];
        out[i] = s;
    }
}

void thomas(const double *R a, I an, const double *R b, I bn, const double *R c, I cn,
            const double *R d, I n, double *R x, I xn, double *R work, I wn) {
    (void)an, (void)bn, (void)cn, (void)xn, (void)wn;
    work[0] = c[0] / b[0];
    x[0] = d[0] / b[0];
    for (I i = 1; i < n; i++) {
        double m = b[i] - a[i] * work[i - 1];
        work[i] = c[i] / m;
        x[i] = (d[i] - a[i] * x[i - 1]) / m;
    }
    for (I i = n - 2; i >= 0; i--)
        x[i] -= work[i] * x[i + 1];
}

void fft(double *R re, I n, double *R im, I in) {
    (void)in;
    I j = 0;
    for (I i = 1; i < n; i++) {
        I bit = n >> 1;
        while (j & bit) {
            j ^= bit;
            bit >>= 1;
        }
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j];
            re[j] = t;
            t = im[i];
            im[i] = im[j];
            im[j] = t;
        }
    }
    for (I size = 2; size <= n; size *= 2) {
        I half = size / 2;
        double angle = -2.0 * M_PI / (double)size;
        for (I k = 0; k < half; k++) {
            double wr = cos(angle * (double)k), wi = sin(angle * (double)k);
            for (I start = 0; start < n; start += size) {
                I a = start + k, b = a + half;
                double tr = wr * re[b] - wi * im[b], ti = wr * im[b] + wi * re[b];
                re[b] = re[a] - tr;
                im[b] = im[a] - ti;
                re[a] += tr;
                im[a] += ti;
            }
        }
    }
}

void fft_blocks(double *R re, I n, double *R im, I in, const double *R wr, I rn,
                const double *R wi, I wn) {
    (void)in, (void)rn, (void)wn;
    for (I size = 2; size <= n; size *= 2) {
        I half = size / 2, step = n / size;
        for (I start = 0; start < n; start += size)
            for (I k = 0; k < half; k++) {
                double cr = wr[k * step], ci = wi[k * step];
                I a = start + k, b = a + half;
                double tr = cr * re[b] - ci * im[b], ti = cr * im[b] + ci * re[b];
                re[b] = re[a] - tr;
                im[b] = im[a] - ti;
                re[a] += tr;
                im[a] += ti;
            }
    }
}

void lu(double *R a_, I n, I m, I *R pivots, I pn) {
    (void)m, (void)pn;
    double(*a)[n] = (void *)a_;
    for (I k = 0; k < n; k++) {
        I p = k;
        for (I i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[p][k])) p = i;
        pivots[k] = p;
        if (p != k)
            for (I j = 0; j < n; j++) {
                double t = a[k][j];
                a[k][j] = a[p][j];
                a[p][j] = t;
            }
        for (I i = k + 1; i < n; i++) {
            a[i][k] /= a[k][k];
            for (I j = k + 1; j < n; j++)
                a[i][j] -= a[i][k] * a[k][j];
        }
    }
}

void jacobi_eigen(double *R a_, I n, I m, I sweeps) {
    (void)m;
    double(*a)[n] = (void *)a_;
    for (I sweep = 0; sweep < sweeps; sweep++)
        for (I p = 0; p < n - 1; p++)
            for (I q = p + 1; q < n; q++) {
                if (a[p][q] == 0.0) continue;
                double theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                double t = 1.0 / (fabs(theta) + sqrt(theta * theta + 1.0));
                if (theta < 0.0) t = -t;
                double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
                for (I k = 0; k < n; k++) {
                    double x = a[k][p], y = a[k][q];
                    a[k][p] = c * x - s * y;
                    a[k][q] = s * x + c * y;
                }
                for (I k = 0; k < n; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x - s * y;
                    a[q][k] = s * x + c * y;
                }
            }
}

void transpose(const double *R a_, I n, I m, double *R out_, I on, I om) {
    (void)on, (void)om;
    const double(*a)[m] = (void *)a_;
    double(*out)[n] = (void *)out_;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++)
            out[j][i] = a[i][j];
}

void moving_average(const double *R x, I n, double *R out, I on, I w) {
    (void)on;
    double s = 0.0;
    for (I i = 0; i < w; i++)
        s += x[i];
    out[w - 1] = s / (double)w;
    for (I i = w; i < n; i++) {
        s += x[i] - x[i - w];
        out[i] = s / (double)w;
    }
}

void rolling_min(const double *R x, I n, double *R out, I on, I w, I *R queue, I qn) {
    (void)on, (void)qn;
    I head = 0, tail = 0;
    for (I i = 0; i < n; i++) {
        while (tail > head && x[queue[tail - 1]] >= x[i])
            tail--;
        queue[tail] = i;
        tail++;
        if (queue[head] <= i - w) head++;
        out[i] = x[queue[head]];
    }
}

void smooth_exp(const double *R x, I n, double *R out, I on, double alpha) {
    (void)on;
    double s = x[0];
    for (I i = 0; i < n; i++) {
        s = alpha * x[i] + (1.0 - alpha) * s;
        out[i] = s;
    }
}

/* ---- Simulation ---- */

double lorenz(I steps, double dt) {
    double x = 1.0, y = 1.0, z = 1.0;
    for (I i = 0; i < steps; i++) {
        double ax = 10.0 * (y - x), ay = x * (28.0 - z) - y, az = x * y - 8.0 / 3.0 * z;
        double bx = 10.0 * ((y + 0.5 * dt * ay) - (x + 0.5 * dt * ax));
        double by = (x + 0.5 * dt * ax) * (28.0 - (z + 0.5 * dt * az)) - (y + 0.5 * dt * ay);
        double bz =
            (x + 0.5 * dt * ax) * (y + 0.5 * dt * ay) - 8.0 / 3.0 * (z + 0.5 * dt * az);
        x += dt * (ax + bx) / 2.0;
        y += dt * (ay + by) / 2.0;
        z += dt * (az + bz) / 2.0;
    }
    return x + y + z;
}

I ising(I *R spins_, I n, I m, const double *R chances, I cn, I sweeps, U state) {
    (void)cn;
    I(*spins)[m] = (void *)spins_;
    for (I sweep = 0; sweep < sweeps; sweep++)
        for (I i = 0; i < n; i++)
            for (I j = 0; j < m; j++) {
                I around = spins[(i + n - 1) % n][j] + spins[(i + 1) % n][j] +
                           spins[i][(j + m - 1) % m] + spins[i][(j + 1) % m];
                I change = 2 * spins[i][j] * around;
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                double u = (double)(state >> 11) * 1.1102230246251565e-16;
                if (change <= 0 || u < chances[change]) spins[i][j] = -spins[i][j];
            }
    I total = 0;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++)
            total += spins[i][j];
    return total;
}

static double fade(double t) {
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
}

static double gradient(I h, double x, double y) {
    return ((h & 1) == 0 ? x : -x) + ((h & 2) == 0 ? y : -y);
}

void perlin(const I *R table, I tn, double scale, double *R out_, I n, I m) {
    (void)tn;
    double(*out)[m] = (void *)out_;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++) {
            double x = (double)j * scale, y = (double)i * scale;
            I xi = (I)floor(x), yi = (I)floor(y);
            double xf = x - (double)xi, yf = y - (double)yi;
            xi &= 255;
            yi &= 255;
            double u = fade(xf), v = fade(yf);
            I a = table[xi] + yi, b = table[xi + 1] + yi;
            double top =
                gradient(table[a], xf, yf) * (1.0 - u) + gradient(table[b], xf - 1.0, yf) * u;
            double low = gradient(table[a + 1], xf, yf - 1.0) * (1.0 - u) +
                         gradient(table[b + 1], xf - 1.0, yf - 1.0) * u;
            out[i][j] = top * (1.0 - v) + low * v;
        }
}

void ray_spheres(const double *R spheres_, I k_, I four, double *R out_, I n, I m) {
    (void)four;
    const double(*spheres)[4] = (void *)spheres_;
    double(*out)[m] = (void *)out_;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++) {
            double dx = ((double)j - (double)m / 2.0) / (double)m,
                   dy = ((double)i - (double)n / 2.0) / (double)n, dz = 1.0;
            double norm = sqrt(dx * dx + dy * dy + dz * dz);
            dx /= norm;
            dy /= norm;
            dz /= norm;
            double nearest = 1e30;
            for (I k = 0; k < k_; k++) {
                const double *s = spheres[k];
                double b = dx * s[0] + dy * s[1] + dz * s[2];
                double c = s[0] * s[0] + s[1] * s[1] + s[2] * s[2] - s[3] * s[3];
                double under = b * b - c;
                if (under > 0.0) {
                    double t = b - sqrt(under);
                    if (t > 1e-3 && t < nearest) nearest = t;
                }
            }
            out[i][j] = nearest;
        }
}

void mandelbrot32(I *R counts_, I n_, I m, I limit) {
    I(*counts)[m] = (void *)counts_;
    for (I i = 0; i < n_; i++)
        for (I j = 0; j < m; j++) {
            float cr = -2.0f + 3.0f * (float)j / (float)m,
                  ci = -1.0f + 2.0f * (float)i / (float)n_;
            float zr = 0.0f, zi = 0.0f;
            I n = 0;
            while (n < limit && zr * zr + zi * zi <= 4.0f) {
                float t = zr * zr - zi * zi + cr;
                zi = 2.0f * zr * zi + ci;
                zr = t;
                n++;
            }
            counts[i][j] = n;
        }
}

void diffuse(double *R a_, I n, I m, double *R b_, I bn, I bm, I steps, double k) {
    (void)bn, (void)bm;
    double(*a)[m] = (void *)a_, (*b)[m] = (void *)b_;
    for (I t = 0; t < steps; t++) {
        for (I i = 0; i < n; i++)
            for (I j = 0; j < m; j++) {
                double up = a[(i + n - 1) % n][j], down = a[(i + 1) % n][j];
                double left = a[i][(j + m - 1) % m], right = a[i][(j + 1) % m];
                b[i][j] = a[i][j] + k * (up + down + left + right - 4.0 * a[i][j]);
            }
        for (I i = 0; i < n; i++)
            for (I j = 0; j < m; j++)
                a[i][j] = b[i][j];
    }
}

/* ---- Integers ---- */

void search_all(const I *R table, I n, const I *R wanted, I m, I *R out, I on) {
    (void)on;
    for (I i = 0; i < m; i++) {
        I lo = 0, hi = n;
        while (lo < hi) {
            I mid = (lo + hi) / 2;
            if (table[mid] < wanted[i])
                lo = mid + 1;
            else
                hi = mid;
        }
        out[i] = lo;
    }
}

void insertion_sort(double *R a, I n) {
    for (I i = 1; i < n; i++) {
        double x = a[i];
        I j = i - 1;
        while (j >= 0 && a[j] > x) {
            a[j + 1] = a[j];
            j--;
        }
        a[j + 1] = x;
    }
}

static inline void sift(double *R a, I root, I n) {
    while (2 * root + 1 < n) {
        I child = 2 * root + 1;
        if (child + 1 < n && a[child] < a[child + 1]) child++;
        if (a[root] >= a[child]) break;
        double t = a[root];
        a[root] = a[child];
        a[child] = t;
        root = child;
    }
}

void heap_sort(double *R a, I n) {
    for (I start = n / 2 - 1; start >= 0; start--)
        sift(a, start, n);
    for (I end = n - 1; end > 0; end--) {
        double t = a[0];
        a[0] = a[end];
        a[end] = t;
        sift(a, 0, end);
    }
}

I factor_sum(I first, I count) {
    I total = 0;
    for (I n = first; n < first + count; n++) {
        I m = n, p = 2;
        while (p * p <= m) {
            while (m % p == 0) {
                total += p;
                m /= p;
            }
            p++;
        }
        if (m > 1) total += m;
    }
    return total;
}

static I gcd(I a, I b) {
    while (b) {
        I t = a % b;
        a = b;
        b = t;
    }
    return a;
}

I coprimes(I n) {
    I count = 0;
    for (I i = 1; i < n; i++)
        for (I j = 1; j < i; j++)
            if (gcd(i, j) == 1) count++;
    return count;
}

U hash_words(const U *R data, I n) {
    U h = 14695981039346656037u;
    for (I i = 0; i < n; i++) {
        U k = data[i] * 0x87C37B91114253D5;
        k = k << 31 | k >> 33;
        h ^= k * 0x4CF5AD432745937F;
        h = h << 27 | h >> 37;
        h = h * 5 + 0x52DCE729;
    }
    return h ^ h >> 33;
}

U fnv1a(const B *R data, I n) {
    U h = 14695981039346656037u;
    for (I i = 0; i < n; i++)
        h = (h ^ data[i]) * 1099511628211u;
    return h;
}

I queens(I n, I row, I columns, I left, I right) {
    if (row == n) return 1;
    I count = 0, free = (((I)1 << n) - 1) & ~(columns | left | right);
    while (free) {
        I bit = free & -free;
        free ^= bit;
        count += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

I collatz(I n) {
    I longest = 0;
    for (I i = 1; i < n; i++) {
        I k = i, steps = 0;
        while (k != 1) {
            if (k % 2 == 0)
                k /= 2;
            else
                k = 3 * k + 1;
            steps++;
        }
        longest = most(longest, steps);
    }
    return longest;
}

void life_inside(const int8_t *R a_, I n, I m, int8_t *R b_, I bn, I bm) {
    (void)bn, (void)bm;
    const int8_t(*a)[m] = (void *)a_;
    int8_t(*b)[m] = (void *)b_;
    for (I i = 1; i < n - 1; i++)
        for (I j = 1; j < m - 1; j++) {
            int s = a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1] + a[i][j - 1] +
                    a[i][j + 1] + a[i + 1][j - 1] + a[i + 1][j] + a[i + 1][j + 1];
            if (s == 3)
                b[i][j] = 1;
            else if (s == 2)
                b[i][j] = a[i][j];
            else
                b[i][j] = 0;
        }
}

void count_sort(const B *R data, I n, B *R out, I on) {
    (void)on;
    I counts[257] = {0};
    for (I i = 0; i < n; i++)
        counts[data[i] + 1]++;
    for (I k = 0; k < 256; k++)
        counts[k + 1] += counts[k];
    for (I i = 0; i < n; i++) {
        B k = data[i];
        out[counts[k]] = k;
        counts[k]++;
    }
}

I subset_sums(const I *R weights, I n, I *R ways, I m) {
    ways[0] = 1;
    for (I i = 0; i < n; i++) {
        I w = weights[i];
        for (I s = m - 1; s >= w; s--)
            ways[s] = (ways[s] + ways[s - w]) % 1000000007;
    }
    return ways[m - 1];
}

I coin_ways(const I *R coins, I n, I *R ways, I m) {
    ways[0] = 1;
    for (I i = 0; i < n; i++)
        for (I s = coins[i]; s < m; s++)
            ways[s] = (ways[s] + ways[s - coins[i]]) % 1000000007;
    return ways[m - 1];
}

I mod_power_sum(I n, I mod) {
    I s = 0;
    for (I i = 1; i < n; i++) {
        I base = i % mod, exponent = n, result = 1;
        while (exponent > 0) {
            if (exponent & 1) result = result * base % mod;
            base = base * base % mod;
            exponent >>= 1;
        }
        s += result;
    }
    return s;
}

/* ---- Those of the third lot, of all kinds ---- */

void merge_sorted(const I *R a, I n, const I *R b, I m, I *R out, I on) {
    (void)on;
    I i = 0, j = 0, k = 0;
    while (i < n && j < m) {
        if (a[i] <= b[j]) {
            out[k] = a[i];
            i++;
        } else {
            out[k] = b[j];
            j++;
        }
        k++;
    }
    while (i < n)
        out[k++] = a[i++];
    while (j < m)
        out[k++] = b[j++];
}

void bitonic_sort(double *R a, I n) {
    for (I k = 2; k <= n; k *= 2)
        for (I j = k / 2; j > 0; j /= 2)
            for (I i = 0; i < n; i++) {
                I other = i ^ j;
                if (other > i)
                    if (((i & k) == 0 && a[i] > a[other]) ||
                        ((i & k) != 0 && a[i] < a[other])) {
                        double t = a[i];
                        a[i] = a[other];
                        a[other] = t;
                    }
            }
}

void blur_bytes(const B *R image_, I n, I m, I *R rows_, I rn, I rm, B *R out_, I on, I om) {
    (void)rn, (void)rm, (void)on, (void)om;
    const B(*image)[m] = (void *)image_;
    I(*rows)[m] = (void *)rows_;
    B(*out)[m] = (void *)out_;
    for (I i = 0; i < n; i++)
        for (I j = 2; j < m - 2; j++) {
            I s = (I)image[i][j - 2] + 4 * (I)image[i][j - 1] + 6 * (I)image[i][j];
            rows[i][j] = s + 4 * (I)image[i][j + 1] + (I)image[i][j + 2];
        }
    for (I i = 2; i < n - 2; i++)
        for (I j = 2; j < m - 2; j++) {
            I s = rows[i - 2][j] + 4 * rows[i - 1][j] + 6 * rows[i][j] + 4 * rows[i + 1][j] +
                  rows[i + 2][j];
            out[i][j] = (B)((s + 128) >> 8);
        }
}

void red_black(double *R u_, I n, I m, const double *R f_, I fn, I fm, I sweeps) {
    (void)fn, (void)fm;
    double(*u)[m] = (void *)u_;
    const double(*f)[m] = (void *)f_;
    for (I sweep = 0; sweep < sweeps; sweep++)
        for (I colour = 0; colour < 2; colour++)
            for (I i = 1; i < n - 1; i++)
                for (I j = 1 + (i + colour) % 2; j < m - 1; j += 2)
                    u[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] -
                                      f[i][j]);
}

I lz_match(const B *R data, I n, I *R head, I hn, I *R previous, I pn, I *R lengths, I ln) {
    (void)pn, (void)ln;
    for (I h = 0; h < hn; h++)
        head[h] = -1;
    I total = 0;
    for (I at = 0; at < n - 2; at++) {
        I h = ((I)data[at] * 31 * 31 + (I)data[at + 1] * 31 + (I)data[at + 2]) & (hn - 1);
        I candidate = head[h], best = 0, tries = 8;
        while (candidate >= 0 && tries > 0) {
            I length = 0;
            while (at + length < n && length < 64 &&
                   data[candidate + length] == data[at + length])
                length++;
            if (length > best) best = length;
            candidate = previous[candidate];
            tries--;
        }
        lengths[at] = best;
        total += best;
        previous[at] = head[h];
        head[h] = at;
    }
    return total;
}

I compact(const double *R x, I n, double low, double high, double *R out, I on) {
    (void)on;
    I k = 0;
    for (I i = 0; i < n; i++)
        if (low <= x[i] && x[i] < high) out[k++] = x[i];
    return k;
}

void csr_transpose(const I *R starts, I sn, const I *R columns, I cn, const double *R values,
                   I vn, I *R t_starts, I tsn, I *R t_columns, I tcn, double *R t_values,
                   I tvn) {
    (void)vn, (void)tcn, (void)tvn;
    for (I k = 0; k < cn; k++)
        t_starts[columns[k] + 1]++;
    for (I c = 0; c < tsn - 1; c++)
        t_starts[c + 1] += t_starts[c];
    for (I row = 0; row < sn - 1; row++)
        for (I k = starts[row]; k < starts[row + 1]; k++) {
            I c = columns[k], to = t_starts[c];
            t_columns[to] = row;
            t_values[to] = values[k];
            t_starts[c] = to + 1;
        }
    for (I c = tsn - 1; c > 0; c--)
        t_starts[c] = t_starts[c - 1];
    t_starts[0] = 0;
}

void big_multiply(const U *R a, I n, const U *R b, I m, U *R out, I on) {
    for (I i = 0; i < on; i++)
        out[i] = 0;
    for (I i = 0; i < n; i++) {
        U carry = 0;
        for (I j = 0; j < m; j++) {
            U t = a[i] * b[j] + out[i + j] + carry;
            out[i + j] = t & 0xFFFFFFFFu;
            carry = t >> 32;
        }
        out[i + m] = carry;
    }
}

double viterbi(const I *R seen, I n, const double *R step_, I states, I sm,
               const double *R emit_, I en, I symbols, double *R score_, I scn, I scm,
               I *R back_, I bn, I bm, I *R path, I pn) {
    (void)sm, (void)en, (void)scn, (void)scm, (void)bn, (void)bm, (void)pn;
    const double(*step)[states] = (void *)step_, (*emit)[symbols] = (void *)emit_;
    double(*score)[states] = (void *)score_;
    I(*back)[states] = (void *)back_;
    for (I s = 0; s < states; s++)
        score[0][s] = emit[s][seen[0]];
    for (I t = 1; t < n; t++)
        for (I s = 0; s < states; s++) {
            double best = -1e300;
            I come = 0;
            for (I p = 0; p < states; p++) {
                double v = score[t - 1][p] + step[p][s];
                if (v > best) {
                    best = v;
                    come = p;
                }
            }
            score[t][s] = best + emit[s][seen[t]];
            back[t][s] = come;
        }
    I last = n - 1;
    double best = -1e300;
    for (I s = 0; s < states; s++)
        if (score[last][s] > best) {
            best = score[last][s];
            path[last] = s;
        }
    for (I t = last; t > 0; t--)
        path[t - 1] = back[t][path[t]];
    return best;
}

void draw_lines(const I *R ends_, I n, I four, I *R image_, I h, I w) {
    (void)four, (void)h;
    const I(*ends)[4] = (void *)ends_;
    I(*image)[w] = (void *)image_;
    for (I line = 0; line < n; line++) {
        I x0 = ends[line][0], y0 = ends[line][1], x1 = ends[line][2], y1 = ends[line][3];
        I dx = x1 > x0 ? x1 - x0 : x0 - x1, dy = y1 > y0 ? y0 - y1 : y1 - y0;
        I sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, error = dx + dy;
        while (1) {
            image[y0][x0]++;
            if (x0 == x1 && y0 == y1) break;
            I twice = 2 * error;
            if (twice >= dy) {
                error += dy;
                x0 += sx;
            }
            if (twice <= dx) {
                error += dx;
                y0 += sy;
            }
        }
    }
}

static void sift_down(I *R heap, I size, const I *R weight, I at) {
    I node = heap[at];
    while (2 * at + 1 < size) {
        I child = 2 * at + 1;
        if (child + 1 < size && weight[heap[child + 1]] < weight[heap[child]]) child++;
        if (weight[node] <= weight[heap[child]]) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = node;
}

I huffman(const I *R counts, I n, I *R weight, I wn, I *R parent, I pn, I *R heap, I hn,
          I *R lengths, I ln) {
    (void)wn, (void)pn, (void)hn, (void)ln;
    for (I i = 0; i < n; i++) {
        weight[i] = counts[i];
        heap[i] = i;
    }
    I size = n;
    for (I i = n / 2 - 1; i >= 0; i--)
        sift_down(heap, size, weight, i);
    I node = n;
    while (size > 1) {
        I a = heap[0];
        size--;
        heap[0] = heap[size];
        sift_down(heap, size, weight, 0);
        I b = heap[0];
        weight[node] = weight[a] + weight[b];
        parent[a] = node;
        parent[b] = node;
        heap[0] = node;
        sift_down(heap, size, weight, 0);
        node++;
    }
    I bits = 0;
    for (I i = 0; i < n; i++) {
        I depth = 0, at = i;
        while (at != node - 1) {
            at = parent[at];
            depth++;
        }
        lengths[i] = depth;
        bits += depth * counts[i];
    }
    return bits;
}

I components(const B *R image_, I n, I m, I *R labels_, I ln, I lm, I *R stack, I sn) {
    (void)ln, (void)lm, (void)sn;
    const B(*image)[m] = (void *)image_;
    I(*labels)[m] = (void *)labels_;
    I count = 0;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++) {
            if (image[i][j] == 0 || labels[i][j] != 0) continue;
            labels[i][j] = ++count;
            stack[0] = i * m + j;
            I top = 1;
            while (top > 0) {
                top--;
                I y = stack[top] / m, x = stack[top] % m;
                for (I k = 0; k < 4; k++) {
                    I v = y + (k == 0) - (k == 1), u = x + (k == 2) - (k == 3);
                    if (0 <= v && v < n && 0 <= u && u < m && image[v][u] != 0 &&
                        labels[v][u] == 0) {
                        labels[v][u] = count;
                        stack[top] = v * m + u;
                        top++;
                    }
                }
            }
        }
    return count;
}

double kd_nearest(const double *R points_, I n, I three, const double *R queries_, I qn, I qm,
                  I *R found, I fn, I *R stack_, I sn, I sm) {
    (void)three, (void)qm, (void)fn, (void)sn, (void)sm;
    const double(*points)[3] = (void *)points_, (*queries)[3] = (void *)queries_;
    I(*stack)[3] = (void *)stack_;
    double total = 0;
    for (I q = 0; q < qn; q++) {
        double best = 1e300;
        I index = -1, top = 1;
        stack[0][0] = 0;
        stack[0][1] = n;
        stack[0][2] = 0;
        while (top > 0) {
            top--;
            I lo = stack[top][0], hi = stack[top][1], axis = stack[top][2];
            while (lo < hi) {
                I mid = (lo + hi) / 2;
                double d = 0;
                for (I k = 0; k < 3; k++) {
                    double e = points[mid][k] - queries[q][k];
                    d += e * e;
                }
                if (d < best) {
                    best = d;
                    index = mid;
                }
                double gap = queries[q][axis] - points[mid][axis];
                axis = (axis + 1) % 3;
                if (gap < 0) {
                    if (gap * gap < best) {
                        stack[top][0] = mid + 1;
                        stack[top][1] = hi;
                        stack[top][2] = axis;
                        top++;
                    }
                    hi = mid;
                } else {
                    if (gap * gap < best) {
                        stack[top][0] = lo;
                        stack[top][1] = mid;
                        stack[top][2] = axis;
                        top++;
                    }
                    lo = mid + 1;
                }
            }
        }
        found[q] = index;
        total += sqrt(best);
    }
    return total;
}

void grey(const B *R rgb_, I n, I m, I three, B *R out_, I on, I om) {
    (void)three, (void)on, (void)om;
    const B(*rgb)[m][3] = (void *)rgb_;
    B(*out)[m] = (void *)out_;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < m; j++)
            out[i][j] =
                (B)((77 * (I)rgb[i][j][0] + 150 * (I)rgb[i][j][1] + 29 * (I)rgb[i][j][2]) >>
                    8);
}

void count_in_2d(const double *R x, I len, const double *R y, I yn, I *R counts_, I n, I m) {
    (void)yn;
    I(*counts)[m] = (void *)counts_;
    for (I i = 0; i < len; i++)
        counts[(I)(x[i] * (double)n)][(I)(y[i] * (double)m)]++;
}

I bfs(const I *R starts, I sn, const I *R neighbours, I nn, I *R distance, I n, I *R queue,
      I qn) {
    (void)sn, (void)nn, (void)qn;
    for (I v = 0; v < n; v++)
        distance[v] = -1;
    distance[0] = 0;
    queue[0] = 0;
    I begin = 0, end = 1;
    while (begin < end) {
        I v = queue[begin++];
        for (I k = starts[v]; k < starts[v + 1]; k++) {
            I w = neighbours[k];
            if (distance[w] < 0) {
                distance[w] = distance[v] + 1;
                queue[end++] = w;
            }
        }
    }
    return end;
}

I matrix_chain(const I *R sizes, I sn, I *R cost_, I cn, I cm, I *R split_, I pn, I pm) {
    (void)cn, (void)pn;
    I n = sn - 1;
    I(*cost)[cm] = (void *)cost_, (*split)[pm] = (void *)split_;
    for (I i = 0; i < n; i++)
        cost[i][i] = 0;
    for (I length = 2; length <= n; length++)
        for (I i = 0; i < n - length + 1; i++) {
            I j = i + length - 1, best = (I)1 << 60;
            for (I k = i; k < j; k++) {
                I c = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
                if (c < best) {
                    best = c;
                    split[i][j] = k;
                }
            }
            cost[i][j] = best;
        }
    return cost[0][n - 1];
}

I three_sum(const I *R x, I n, I target) {
    I count = 0;
    for (I i = 0; i < n - 2; i++) {
        I lo = i + 1, hi = n - 1;
        while (lo < hi) {
            I s = x[i] + x[lo] + x[hi];
            if (s < target)
                lo++;
            else if (s > target)
                hi--;
            else {
                count++;
                lo++;
                hi--;
            }
        }
    }
    return count;
}
