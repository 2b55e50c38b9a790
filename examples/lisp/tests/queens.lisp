; The number of ways to place n queens, and the first way.
(define (safe? column placed distance)
  (cond ((null? placed) #t)
        ((= column (car placed)) #f)
        ((= column (+ (car placed) distance)) #f)
        ((= column (- (car placed) distance)) #f)
        (else (safe? column (cdr placed) (+ distance 1)))))

(define (queens n)
  (define solutions '())
  (define (place placed count)
    (if (= count n)
        (set! solutions (cons placed solutions))
        (let try-column ((column 1))
          (if (<= column n)
              (begin
                (if (safe? column placed 1)
                    (place (cons column placed) (+ count 1)))
                (try-column (+ column 1)))))))
  (place '() 0)
  (reverse solutions))

(let ((solutions (queens 6)))
  (list (length solutions) (reverse (car solutions))))
